import assert from "node:assert/strict";
import { test } from "node:test";
import { parseInterfaceName } from "./index.ts";

test("a name stands for module and class, a dotted one is split at the last dot", () => {
  assert.deepEqual(parseInterfaceName("IrisModel"), {
    file: "IrisModel.py",
    name: "IrisModel",
    language: "python",
  });
  assert.deepEqual(parseInterfaceName("pkg.mod.Class"), {
    file: "pkg/mod.py",
    name: "Class",
    language: "python",
  });
});

test("what is no dotted name is refused", () => {
  for (const bad of ["", "../x", "a..b", "a b", "1a", "a/b"])
    assert.throws(() => parseInterfaceName(bad), { code: "USAGE" });
});
