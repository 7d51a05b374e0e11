import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTempDir } from "../../ground/process/index.ts";
import { modelFoldersIn } from "./describe-models.ts";

test("a folder of models has folders with a model each, and no project of its own", async () => {
  await using folder = await createTempDir("models");
  const put = async (path: string): Promise<void> => {
    await mkdir(join(folder.path, path, ".."), { recursive: true });
    await writeFile(join(folder.path, path), "");
  };
  for (const path of ["b/model.py", "a/metadata.json", "c/notes.txt", ".d/model.onnx", "README.md"])
    await put(path);
  assert.deepEqual(await modelFoldersIn(folder.path), ["a", "b"]);
  await put("Model.py");
  assert.deepEqual(await modelFoldersIn(folder.path), []);
  assert.deepEqual(await modelFoldersIn(join(folder.path, "none")), []);
});
