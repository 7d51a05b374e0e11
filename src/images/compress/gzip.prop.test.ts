import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { gzipPinned } from "./index.ts";

test("whatever goes in comes out of gunzip, however it is cut", async () => {
  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }),
    fc
      .tuple(fc.nat(255), fc.nat(300_000))
      .map(([value, length]) => new Uint8Array(length).fill(value)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { maxLength: 12 }), async (chunks) => {
      const parts: Uint8Array[] = [];
      const content = (async function* () {
        yield* chunks;
      })();
      for await (const part of gzipPinned(content, { threads: 1 })) parts.push(part);
      assert.deepEqual(gunzipSync(Buffer.concat(parts)), Buffer.concat(chunks));
    }),
    { numRuns: 60 },
  );
});
