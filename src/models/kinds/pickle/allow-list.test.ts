import assert from "node:assert/strict";
import { test } from "node:test";
import { readAllowList } from "./allow-list.ts";

/** Modules that run programs, open files or evaluate text: nothing of them is ever listed. */
const NEVER =
  /^(os|posix|nt|sys|subprocess|importlib|runpy|pip|ctypes|operator|_operator|pickle|_pickle|marshal|shutil|socket|code|pty|numpy\.(testing|f2py|ctypeslib)|torch\.(utils|hub|jit|load|save)|joblib\.(memory|parallel|externals))(\.|$)/;
const NEVER_NAMED =
  /^builtins\.(eval|exec|getattr|setattr|compile|open|__import__|globals|vars|type|map|filter|print|input|breakpoint)$|^numpy\.(load|memmap|save|loadtxt|fromfile|frompyfunc|vectorize)$|_ufunc_reconstruct$|_load_from_bytes$|copyreg\.(add_extension|pickle)$/;

test("no list names what runs programs, opens files or evaluates text", async () => {
  for (const use of ["sklearn", "numpy", "torch", "class"] as const) {
    const { names } = await readAllowList(use);
    assert.ok(names.size > 100, use);
    const wrong = [...names].filter((name) => NEVER.test(name) || NEVER_NAMED.test(name));
    assert.deepEqual(wrong, []);
    assert.deepEqual(
      [...names].filter((name) => !/^[A-Za-z_][\w]*(\.[A-Za-z_]\w*)+$/.test(name)),
      [],
    );
  }
});

test("names of the user come beside those of the list, exactly", async () => {
  const { names } = await readAllowList("numpy", ["features.Cleaner"]);
  assert.equal(names.has("features.Cleaner"), true);
  assert.equal(names.has("features.Other"), false);
  assert.equal(names.has("numpy.dtype"), true);
  assert.equal(names.has("sklearn.svm._classes.SVC"), false);
});
