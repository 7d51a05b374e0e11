import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isToolError } from "../errors/index.ts";
import { readTar, writeTar, type TarInput } from "./index.ts";

const part = fc.stringMatching(/^[a-zA-Zé模 ._-]{1,60}$/).filter((text) => text !== "." && text !== "..");
const path = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("/"));
const entry = fc.record({ path, text: fc.string({ maxLength: 2000 }), mode: fc.constantFrom(0o644, 0o755) });

test("whatever is written is read back", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(entry, { selector: (item) => item.path, maxLength: 8 }), async (items) => {
      const inputs = items.map(({ path: name, text, mode }): TarInput => ({ path: name, type: "file", mode, size: Buffer.byteLength(text), content: Buffer.from(text) }));
      const read = new Map<string, string>();
      for await (const { entry: { path: name }, content } of readTar(writeTar(inputs))) {
        const chunks = await Array.fromAsync(content);
        read.set(name, Buffer.concat(chunks).toString());
      }
      assert.deepEqual([...read].sort(), items.map(({ path: name, text }) => [name, text]).sort());
    }),
    { numRuns: 150 },
  );
});

test("arbitrary bytes end in a typed error or a list, never in anything else", async () => {
  const valid = Buffer.concat(await Array.fromAsync(writeTar([{ path: "a/b", type: "file", mode: 0o644, size: 3, content: Buffer.from("abc") }])));
  const damage = fc.array(fc.tuple(fc.nat(valid.byteLength - 1), fc.nat(255)), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(damage, async (changes) => {
      const bytes = Buffer.from(valid);
      for (const [offset, value] of changes) bytes[offset] = value;
      await readAll(bytes);
    }),
    { numRuns: 400 },
  );
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 4096 }), (bytes) => readAll(bytes)), { numRuns: 200 });
});

async function readAll(bytes: Uint8Array): Promise<void> {
  try {
    for await (const { content } of readTar((async function* () { yield bytes; })())) for await (const chunk of content) void chunk;
  } catch (error) {
    assert.ok(isToolError(error), String(error));
  }
}
