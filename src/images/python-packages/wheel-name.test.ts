import assert from "node:assert/strict";
import { test } from "node:test";
import { neededGlibc, normalizeName, parseWheelName } from "./wheel-name.ts";

for (const [fileName, expected] of [
  ["six-1.17.0-py2.py3-none-any.whl", { name: "six", version: "1.17.0", isPure: true }],
  [
    "scikit_learn-1.9.1-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
    { name: "scikit-learn", version: "1.9.1", isPure: false, glibc: [2, 27] },
  ],
  [
    "httptools-0.9.0-cp312-cp312-manylinux1_x86_64.manylinux_2_28_x86_64.manylinux_2_5_x86_64.whl",
    { name: "httptools", version: "0.9.0", isPure: false, glibc: [2, 5] },
  ],
  [
    "torch-2.11.0+cu130-1-cp311-cp311-manylinux2014_aarch64.whl",
    { name: "torch", version: "2.11.0+cu130", isPure: false, glibc: [2, 17] },
  ],
  ["x-1-cp311-cp311-musllinux_1_2_x86_64.whl", { name: "x", version: "1", isPure: false }],
  ["x-1-cp311-cp311-linux_x86_64.whl", { name: "x", version: "1", isPure: false }],
] as const) {
  test(`"${fileName}" is read`, () => assert.deepEqual(parseWheelName(fileName), expected));
}

for (const fileName of ["six-1.17.0.tar.gz", "six.whl", "a-b-c-d-e-f-g.whl", ""]) {
  test(`"${fileName}" is no wheel`, () =>
    assert.throws(() => parseWheelName(fileName), { code: "REQUIREMENTS_INVALID" }));
}

test("the newest glibc that any wheel needs is found by number, not by text", () => {
  assert.equal(
    neededGlibc([
      "a-1-cp311-cp311-manylinux_2_9_x86_64.whl",
      "b-1-cp311-cp311-manylinux_2_28_x86_64.whl",
      "c-1-py3-none-any.whl",
    ]),
    "2.28",
  );
  assert.equal(neededGlibc(["c-1-py3-none-any.whl"]), undefined);
});

test("names compare without case and with equal separators", () => {
  assert.equal(normalizeName("Foo.Bar__baz-_qux"), "foo-bar-baz-qux");
});
