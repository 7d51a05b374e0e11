import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import {
  checkpointVariants,
  CHECKPOINTS,
  flagOf,
  unpackCheckpoint,
} from "../../test/support/checkpoints.ts";
import { isToolError } from "../ground/errors/index.ts";
import { exportCheckpoint } from "./export.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-fuzz-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const names = CHECKPOINTS.filter((name) => !name.startsWith("od_ssd_"));
for (const name of names) unpackCheckpoint(name, join(folder, name));

/** Outputs that each can give. */
const outputs = new Map(
  names.map((name) => {
    const good = checkpointVariants(join(folder, name)).find(
      ({ expect, inputs }) => expect === "ok" && inputs === undefined,
    );
    return [name, good === undefined ? undefined : flagOf(good, "--outputs")?.split(",")];
  }),
);

function exportUnchanged(name: string): Promise<unknown> {
  const source = join(folder, name);
  return exportCheckpoint({ source, output: join(folder, "out.pb"), outputs: outputs.get(name) });
}

test("unchanged, all but one are exported", async () => {
  const results = await Promise.allSettled(names.map(exportUnchanged));
  const failed = names.filter((_, at) => results[at]?.status !== "fulfilled");
  assert.deepEqual(failed, ["queue_batch--tf17"]);
});

/** Fine, or refused with one of our errors; anything else is our bug. */
async function endsWell(name: string): Promise<void> {
  const started = performance.now();
  try {
    await exportUnchanged(name);
  } catch (error) {
    assert.ok(isToolError(error), error instanceof Error ? error.stack : String(error));
    assert.notEqual(error.code, "INTERNAL");
  }
  assert.ok(performance.now() - started < 20_000, "in bounded time");
}

const files = names.flatMap((name) =>
  readdirSync(join(folder, name))
    .filter((file) => !/^(?:case\.json|checkpoint)$/.test(file))
    .map((file) => ({ name, file })),
);

/** Half of the changes are near the end, where tables have their index. */
const change = fc.tuple(
  fc.constantFrom(...files),
  fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean()), {
    minLength: 1,
    maxLength: 4,
  }),
  fc.option(fc.nat(), { freq: 5 }),
);

test("a checkpoint with any bytes changed or cut off is exported or refused", () =>
  fc.assert(
    fc.asyncProperty(change, async ([{ name, file }, changes, cut]) => {
      const path = join(folder, name, file);
      const original = readFileSync(path);
      const mutated = Buffer.from(original);
      for (const [at, value, isNearEnd] of changes) {
        const range = isNearEnd ? Math.min(200, mutated.byteLength) : mutated.byteLength;
        if (range > 0) mutated[mutated.byteLength - 1 - (at % range)] = value;
      }
      const end = cut === null ? mutated.byteLength : cut % (mutated.byteLength + 1);
      writeFileSync(path, mutated.subarray(0, end));
      try {
        await endsWell(name);
      } finally {
        writeFileSync(path, original);
      }
    }),
    { numRuns: 250 },
  ));
