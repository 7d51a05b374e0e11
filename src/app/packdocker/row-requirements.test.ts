import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createTempDir } from "../../ground/process/index.ts";
import { parseUaiJob } from "../../jobs/uai/index.ts";
import { rowIndexes } from "../pack/row-indexes.ts";
import { lackingPackages } from "../pack/known-base.ts";
import { rowRequirements } from "./row-requirements.ts";

async function requirementsWith(
  t: TestContext,
  lines: readonly string[],
  { model = "{}", own }: { readonly model?: string | Uint8Array; readonly own?: string },
): Promise<readonly string[]> {
  const folder = await createTempDir("slipway-row");
  t.after(() => folder[Symbol.asyncDispose]());
  await writeFile(join(folder.path, "m.model"), model);
  const { job } = parseUaiJob("xgboost", {});
  const checked = { job, folder: folder.path, modelFiles: ["m.model"] };
  return rowRequirements(lines, checked, own?.split("\n") ?? []);
}

const ROW = ["xgboost-cpu", "numpy", "pillow"];

test("a model of XGBoost in JSON or UBJSON gets the newest release", async (t) => {
  assert.deepEqual(await requirementsWith(t, ROW, { model: '{"learner":{}}' }), ROW);
  assert.deepEqual(await requirementsWith(t, ROW, { model: Buffer.from("{L\0\0") }), ROW);
});

test("an old binary model of XGBoost gets a release that reads it", async (t) =>
  assert.deepEqual(await requirementsWith(t, ROW, { model: Buffer.from([0, 0, 0, 63]) }), [
    "xgboost-cpu<3.1",
    "numpy",
    "pillow",
  ]));

test("what the folder's requirements choose is not installed a second time under another name", async (t) => {
  const own = "# ours\nxgboost==2.0.3\nPillow\n";
  assert.deepEqual(await requirementsWith(t, ROW, { own }), ["numpy"]);
  assert.deepEqual(
    await requirementsWith(t, ["tensorflow-cpu==2.21.0", "keras==3.15.1"], { own: "tensorflow\n" }),
    ["keras==3.15.1"],
  );
});

test("an index of the user's takes the place of the row's, and the row's is no better than the others", () => {
  const row = ["https://download.pytorch.org/whl/cpu"];
  assert.deepEqual(rowIndexes(row, {}), { extraIndexUrls: row, areEqual: true });
  assert.deepEqual(rowIndexes(row, { indexUrl: "https://mirror.test/simple" }), {
    extraIndexUrls: [],
  });
  const own = ["https://mirror.test/pytorch"];
  assert.deepEqual(rowIndexes(row, { extraIndexUrls: own }), { extraIndexUrls: own });
  assert.deepEqual(rowIndexes([], {}), { extraIndexUrls: [] });
});

test("Debian packages of a row are left out where the base has their library", () => {
  const facts = { sonames: ["libgomp.so.1"], directories: {} };
  assert.deepEqual(lackingPackages(["libgomp1", "libquadmath0", "ffmpeg"], { facts }), [
    "libquadmath0",
    "ffmpeg",
  ]);
});
