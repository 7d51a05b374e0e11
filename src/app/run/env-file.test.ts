import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readEnvFiles } from "./env-file.ts";

test("files of variables are read as docker reads them", async (t) => {
  const cwd = await mkdtemp(join(tmpdir(), "slipway-env-"));
  t.after(() => rm(cwd, { recursive: true }));
  await writeFile(join(cwd, "a"), '\uFEFF# a comment\n\nA=1\n  B="two = 2" \r\nC\nD\nE=\n');
  await writeFile(join(cwd, "b"), "A=3");
  const read = (...files: readonly string[]) =>
    readEnvFiles(files, { cwd, environment: { C: "c" } });
  assert.deepEqual(await read("a", "b"), { A: "3", B: '"two = 2" ', C: "c", E: "" });
  await writeFile(join(cwd, "wrong"), "A=1\nGEHEIM X=geheim\n");
  await assert.rejects(read("wrong"), (error: Error) => {
    assert.match(error.message, /"wrong:2"/);
    assert.doesNotMatch(error.message, /geheim/);
    return true;
  });
  await assert.rejects(read("none"), { code: "USAGE" });
});
