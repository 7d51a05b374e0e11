import assert from "node:assert/strict";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { modelFilesIn, modelFolder } from "../../../test/support/kinds/model-folder.ts";
import { KIND_SAMPLES } from "../../../test/support/kinds/samples.ts";
import { isToolError } from "../../ground/errors/index.ts";
import { MODEL_KINDS } from "../description/index.ts";
import { detectModel } from "./detect.ts";

const FIXTURES = resolve(import.meta.dirname, "../../../test/fixtures/kinds");
const ROUNDS = 24;
/** Each kind is changed beside the files above, which are of frameworks of many releases. */
const ROUNDS_OF_A_KIND = 8;
const MAX_MS = 10_000;
const CASES = (
  JSON.parse(readFileSync(join(FIXTURES, "cases.json"), "utf8")) as readonly {
    readonly id: string;
  }[]
).map(({ id }) => id);

/** Numbers that are the same in every run, so that a failure can be looked into. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function changed(bytes: Buffer, random: (below: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  if (random(4) === 0) return copy.subarray(0, random(copy.byteLength));
  for (let count = 1 + random(8); count > 0; count -= 1) {
    // Most of what decides how a file is read stands at its two ends.
    const place =
      random(3) === 0 ? random(copy.byteLength) : random(Math.min(512, copy.byteLength));
    const at = random(2) === 0 ? place : copy.byteLength - 1 - place;
    copy[at] = random(3) === 0 ? 0xff : random(256);
  }
  return copy;
}

for (const id of CASES)
  test(`changed files of ${id} give errors of ours, soon`, async (t) => {
    const originals = modelFilesIn(join(FIXTURES, id));
    const folder = modelFolder(
      t,
      Object.fromEntries(originals.map(({ path, location }) => [path, readFileSync(location)])),
    );
    const random = createRandom(CASES.indexOf(id) + 1);
    for (let round = 0; round < ROUNDS; round += 1) {
      const original = originals[random(originals.length)];
      if (original === undefined) continue;
      const target = join(folder, original.path);
      writeFileSync(target, changed(readFileSync(original.location), random));
      const startedAt = performance.now();
      try {
        await detectModel({ folder: "fuzz", files: modelFilesIn(folder) });
      } catch (error) {
        assert.ok(isToolError(error), `round ${round} of ${original.path}: ${String(error)}`);
      }
      assert.ok(performance.now() - startedAt < MAX_MS, `round ${round} took too long`);
      writeFileSync(target, readFileSync(original.location));
    }
  });

for (const [at, kind] of MODEL_KINDS.entries())
  test(`a changed ${kind} gives errors of ours, soon`, async (t) => {
    const { files } = KIND_SAMPLES[kind]();
    const folder = modelFolder(t, files);
    const names = Object.keys(files);
    const random = createRandom(1000 + at);
    for (let round = 0; round < ROUNDS_OF_A_KIND; round += 1) {
      const name = names[random(names.length)] ?? "";
      const original = Buffer.from(files[name] ?? "");
      writeFileSync(join(folder, name), changed(original, random));
      const startedAt = performance.now();
      try {
        await detectModel({ folder: "fuzz", files: modelFilesIn(folder) });
      } catch (error) {
        assert.ok(isToolError(error), `round ${round} of ${name}: ${String(error)}`);
      }
      assert.ok(performance.now() - startedAt < MAX_MS, `round ${round} took too long`);
      writeFileSync(join(folder, name), original);
    }
  });

const GIGABYTES = 10 * 2 ** 30;

test("a file of ten gigabytes is described from its beginning", async (t) => {
  const tensor = { dtype: "F32", shape: [50_000, 50_000], data_offsets: [0, 10_000_000_000] };
  const header = Buffer.from(JSON.stringify({ weight: tensor }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.byteLength));
  const folder = modelFolder(t, {
    "model.safetensors": Buffer.concat([length, header]),
    "tiny.h5": readFileSync(join(FIXTURES, "keras-3-h5/tiny.h5")),
    "net.gguf": readFileSync(join(FIXTURES, "gguf-tiny/tiny-llama.gguf")),
  });
  truncateSync(join(folder, "model.safetensors"), 8 + header.byteLength + 10_000_000_000);
  for (const name of ["tiny.h5", "net.gguf"]) truncateSync(join(folder, name), GIGABYTES);
  const files = modelFilesIn(folder);
  const before = process.memoryUsage().rss;
  for (const model of ["model.safetensors", "tiny.h5", "net.gguf"]) {
    const found = await detectModel({ folder: "large", files, model });
    assert.equal(found.chosen.modelPath, model);
  }
  assert.ok(
    process.memoryUsage().rss - before < 100 * 2 ** 20,
    "memory does not grow with the file",
  );
});
