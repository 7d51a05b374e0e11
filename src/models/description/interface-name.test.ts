import assert from "node:assert/strict";
import { test } from "node:test";
import { interfaceNameOf } from "./interface-name.ts";

test("a class is called as Seldon's command line calls it", () => {
  const cases = [
    ["MyModel.py", "MyModel", "MyModel"],
    ["serve.py", "Model", "serve.Model"],
    ["pkg/mod.py", "Class", "pkg.mod.Class"],
    ["MyModel.mjs", "MyModel", "MyModel"],
    ["MyModel.ts", "default", "MyModel.default"],
  ] as const;
  for (const [file, name, expected] of cases)
    assert.equal(interfaceNameOf({ file, name, language: "python" }), expected);
});
