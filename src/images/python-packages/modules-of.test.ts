import assert from "node:assert/strict";
import { test } from "node:test";
import { modulesOf } from "./modules-of.ts";

test("modules at the top are those that an import finds", () => {
  const paths = [
    ...["numpy/__init__.py", "numpy/core/x.so", "six.py", "numpy-2.4.6.dist-info/METADATA"],
    ...["_cffi_backend.cpython-311-x86_64-linux-gnu.so", "fast.abi3.so", "google/protobuf/x.py"],
    ...["bin/f2py", "__pycache__/six.cpython-311.pyc", "README.md", "numpy.libs/libz.so.1"],
  ];
  assert.deepEqual(modulesOf(paths), ["_cffi_backend", "fast", "google", "numpy", "six"]);
});
