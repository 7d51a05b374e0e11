import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { PickleInput, streamFeed } from "./input.ts";
import { pickleFactsOf, type PickleFacts } from "./facts.ts";
import { unpackLz4 } from "./lz4-frame.ts";
import { OPCODES } from "./opcodes.ts";
import { PickleError } from "./pickle-error.ts";
import { scanPickle } from "./scan.ts";

const FIXTURES = resolve(import.meta.dirname, "../../../../test/fixtures/pickles");
const pickles = readdirSync(FIXTURES)
  .filter(
    (name) => /^[a-z-]+(-\d)?\.(pkl|joblib)$/.test(name) && !/-(zlib|gzip|lz4|bz2|xz)\./.test(name),
  )
  .map((name) => readFileSync(join(FIXTURES, name)));
const lz4 = readFileSync(join(FIXTURES, "bayes-lz4.joblib"));

async function* cut(bytes: Uint8Array, step: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += step) yield bytes.subarray(at, at + step);
}

async function scanInSteps(bytes: Uint8Array, step = 4096): Promise<PickleFacts> {
  await using input = new PickleInput(streamFeed(cut(bytes, step), 2 ** 30));
  return pickleFactsOf(await scanPickle(input));
}

/** Fine, or refused as no pickle; anything else is our bug. */
async function endsWell(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof PickleError, String(error));
  }
}

test("there are pickles to try", () => assert.ok(pickles.length >= 10, String(pickles.length)));

test("what is read does not depend on how the bytes come", () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...pickles),
      fc.integer({ min: 1, max: 100 }),
      async (bytes, step) => {
        assert.deepEqual(await scanInSteps(bytes, step), await scanInSteps(bytes));
      },
    ),
    { numRuns: 60 },
  ));

test("a pickle with any bytes changed is read or refused", () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...pickles),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
        maxLength: 6,
      }),
      async (bytes, changes) => {
        const changed = Buffer.from(bytes);
        for (const [at, byte] of changes) changed[at % changed.byteLength] = byte;
        await endsWell(() => scanInSteps(changed));
      },
    ),
    { numRuns: 400 },
  ));

test("any string of opcodes is walked over or refused", () => {
  const opcode = fc.constantFrom(...OPCODES.keys());
  const soup = fc.array(fc.oneof(opcode, fc.integer({ min: 0, max: 3 }), fc.constant(0x0a)), {
    maxLength: 300,
  });
  return fc.assert(
    fc.asyncProperty(soup, (bytes) => endsWell(() => scanInSteps(Uint8Array.from(bytes)))),
    { numRuns: 500 },
  );
});

test("an LZ4 frame with any bytes changed is unpacked or refused", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
      async (changes) => {
        const changed = Buffer.from(lz4);
        for (const [at, byte] of changes) changed[at % changed.byteLength] = byte;
        await endsWell(() => Array.fromAsync(unpackLz4(cut(changed, 100))));
      },
    ),
    { numRuns: 300 },
  ));
