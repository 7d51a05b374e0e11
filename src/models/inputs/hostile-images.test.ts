import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { InferenceError } from "../../ground/errors/index.ts";
import { createImageDecoder } from "./index.ts";

const FIXTURES = resolve(import.meta.dirname, "../../../test/fixtures/images");
const names = readdirSync(FIXTURES).filter((name) => /\.(?:jpg|png|webp|gif)$/.test(name));
const CHANGES = 40;

/** A generator of Park and Miller, so that a failure comes again. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

test("there are pictures to change", () => assert.ok(names.length > 15));

for (const name of names)
  test(`${name} with changed bytes is decoded or refused, and the next picture is not harmed`, async () => {
    const decoder = createImageDecoder();
    const whole = readFileSync(join(FIXTURES, name));
    const before = await decoder.decode(whole);
    const random = randomFrom(7);
    for (let round = 0; round < CHANGES; round += 1) {
      const changed = Buffer.from(whole);
      for (let count = 0; count < 3; count += 1)
        changed[Math.floor(random() * changed.length)] = Math.floor(random() * 256);
      const cut = round % 4 === 0 ? Math.floor(random() * changed.length) : changed.length;
      try {
        // Few pixels, so that a header that says many is refused.
        await decoder.decode(changed.subarray(0, cut), { maxPixels: 100_000 });
      } catch (error) {
        assert.ok(error instanceof InferenceError, String(error));
        assert.ok(["REQUEST_INVALID", "LIMIT_EXCEEDED"].includes(error.code), error.code);
      }
    }
    assert.deepEqual(await decoder.decode(whole), before);
  });

test("sizes beyond the limit are refused before anything is decoded", async () => {
  const decoder = createImageDecoder();
  const jpeg = readFileSync(join(FIXTURES, "baseline.jpg"));
  const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
  jpeg.writeUInt16BE(65_000, frame + 5);
  jpeg.writeUInt16BE(65_000, frame + 7);
  const gif = readFileSync(join(FIXTURES, "first.gif"));
  gif.writeUInt16LE(65_000, 6);
  gif.writeUInt16LE(65_000, 8);
  for (const bytes of [jpeg, gif])
    await assert.rejects(decoder.decode(bytes), {
      code: "LIMIT_EXCEEDED",
      message: /65000 x 65000 pixels/,
    });
});

test("what is no picture is refused", async () => {
  const decoder = createImageDecoder();
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from("hello"),
    Buffer.from([0xff, 0xd8, 0xff, 0xd9]),
  ])
    await assert.rejects(decoder.decode(bytes), { code: "REQUEST_INVALID" });
});
