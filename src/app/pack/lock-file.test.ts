import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLock } from "./lock-file.ts";

const DEBIAN_PACKAGE = {
  name: "python3",
  version: "3.11.2-1+b1",
  architecture: "amd64",
  size: 26_300,
  sha256: "0".repeat(64),
  url: "http://deb.debian.org/debian/pool/main/p/python3.deb",
};
const LOCK = {
  version: 1,
  suite: "bookworm",
  include: ["python3"],
  architectures: { amd64: [DEBIAN_PACKAGE] },
};

test("a lock file comes back as it was written", () => {
  assert.deepEqual(parseLock(JSON.stringify(LOCK), "l"), LOCK);
});

test("a lock file that was damaged is refused by the key", () => {
  const damaged: readonly (readonly [unknown, RegExp])[] = [
    ["[]", /not an object/],
    [{ ...LOCK, version: 2 }, /version/],
    [{ ...LOCK, architectures: { mips: [] } }, /mips/],
    [
      { ...LOCK, architectures: { amd64: [{ ...DEBIAN_PACKAGE, sha256: "0" }] } },
      /amd64\[0\]\.sha256/,
    ],
    [
      { ...LOCK, architectures: { amd64: [{ ...DEBIAN_PACKAGE, url: "file:///etc/passwd" }] } },
      /amd64\[0\]\.url/,
    ],
    [
      { ...LOCK, architectures: { amd64: [{ ...DEBIAN_PACKAGE, name: "../x" }] } },
      /amd64\[0\]\.name/,
    ],
    [{ ...LOCK, architectures: { amd64: [{ ...DEBIAN_PACKAGE, size: -1 }] } }, /amd64\[0\]\.size/],
  ];
  for (const [value, message] of damaged)
    assert.throws(() => parseLock(typeof value === "string" ? value : JSON.stringify(value), "l"), {
      code: "PROJECT_INVALID",
      message,
    });
  assert.throws(() => parseLock("{", "l"), { code: "PROJECT_INVALID" });
});
