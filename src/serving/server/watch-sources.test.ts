import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { watchSources } from "./watch-sources.ts";

test("code that is new, changed or gone is seen; caches, environments and what the code itself writes are not", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "slipway-watch-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const name of [".venv", "__pycache__", "inner"]) await mkdir(join(folder, name));
  await mkdir(join(folder, "env"));
  await writeFile(join(folder, "env/pyvenv.cfg"), "");
  await writeFile(join(folder, "a.py"), "1");
  await writeFile(join(folder, "inner/b.py"), "1");
  const watch = await watchSources({ paths: [folder, join(folder, "weights.bin")], everyMs: 5 });
  t.after(() => watch.close());
  await writeFile(join(folder, ".venv/x.py"), "1");
  await writeFile(join(folder, "__pycache__/x.py"), "1");
  await writeFile(join(folder, "env/x.py"), "1");
  await writeFile(join(folder, "answers.json"), "1");
  await writeFile(join(folder, "a.py"), "22"); // before it runs, and seen all the same
  const seen: string[][] = [];
  const told = [
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
  ];
  watch.run(async (files) => {
    const names = files.map((file) => basename(file)).sort();
    if (seen.length === 0) await writeFile(join(folder, "cache.yaml"), "a: 1"); // as code that is loaded may
    if (seen.length === 1) await writeFile(join(folder, "late.py"), "1"); // an edit while the one before is loaded
    seen.push(names);
    told[seen.length - 1]?.resolve();
  });
  await told[0]?.promise;
  await rm(join(folder, "inner/b.py"));
  await told[1]?.promise;
  await told[2]?.promise;
  assert.deepEqual(seen, [["a.py"], ["b.py"], ["late.py"]]);
});

test("the model file is watched by its name, whatever it is called", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "slipway-watch-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const model = join(folder, "model.onnx");
  const watch = await watchSources({ paths: [model], everyMs: 5 });
  t.after(() => watch.close());
  const told = Promise.withResolvers<readonly string[]>();
  watch.run(async (files) => told.resolve(files));
  await writeFile(model, "1");
  assert.deepEqual(await told.promise, [model]);
});
