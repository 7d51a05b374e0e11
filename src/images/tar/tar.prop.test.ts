import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isToolError } from "../../ground/errors/index.ts";
import { entryOf } from "../../../test/support/tiny-tar.ts";
import { planTar, readTar, writeTar, type TarInput } from "./index.ts";

const part = fc
  .oneof(
    fc.stringMatching(/^[a-zA-Zé模 ._-]{1,60}$/),
    fc.constantFrom("a", "b", "c"),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
  )
  .filter((text) => text !== "." && text !== ".." && !/[/\0]/.test(text) && text.isWellFormed());
const path = fc.oneof(
  fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("/")),
  fc
    .array(part, { minLength: 6, maxLength: 12 })
    .map((parts) => parts.map((text) => text.repeat(3)).join("/")),
);
const id = fc.oneof(
  fc.constantFrom(0, 8888, 65_534, 2_097_151, 2_097_152),
  fc.nat({ max: 2 ** 31 }),
);
const common = { path, mode: fc.constantFrom(0o644, 0o755, 0o4755, 0o1777, 0), uid: id, gid: id };
const entry = fc.oneof(
  fc.record({
    ...common,
    type: fc.constant("file" as const),
    text: fc.oneof(
      fc.string({ maxLength: 2000 }),
      fc.constantFrom("x".repeat(512), "x".repeat(511), "x".repeat(513)),
    ),
  }),
  fc.record({ ...common, type: fc.constant("directory" as const), text: fc.constant("") }),
  fc.record({
    ...common,
    type: fc.constant("symlink" as const),
    text: fc.constant(""),
    linkTarget: fc.oneof(path, fc.constant("../../..")),
  }),
);

/** Leaves out what no folder can hold at once: a path below a file or link. */
function plausible<T extends { readonly path: string; readonly type: string }>(
  items: readonly T[],
): readonly T[] {
  const notFolders = new Set(
    items.filter(({ type }) => type !== "directory").map(({ path: own }) => own),
  );
  return items.filter(({ path: own }) =>
    own
      .split("/")
      .every((_, index, parts) => index === 0 || !notFolders.has(parts.slice(0, index).join("/"))),
  );
}

test("whatever is written is read back, in any chunks and from any order", async () => {
  let written = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(entry, { selector: (item) => item.path, maxLength: 10 }).map(plausible),
      fc.integer({ min: 1, max: 3000 }),
      async (items, chunkSize) => {
        const inputs = items.map(({ text, ...item }): TarInput => ({
          ...item,
          size: Buffer.byteLength(text),
          content: Buffer.from(text),
        }));
        const bytes = Buffer.concat(await Array.fromAsync(writeTar(inputs)));
        assert.deepEqual(
          Buffer.concat(await Array.fromAsync(writeTar([...inputs].reverse()))),
          bytes,
        );
        assert.equal(planTar(inputs).size, bytes.byteLength);
        const read = new Map<string, unknown>();
        for await (const { entry: found, content } of readTar(chunked(bytes, chunkSize), {
          refuseDuplicates: true,
        }))
          read.set(found.path, {
            ...found,
            text: Buffer.concat(await Array.fromAsync(content)).toString(),
          });
        assert.deepEqual(
          new Map([...read].sort()),
          new Map(
            items
              .map((item): [string, unknown] => [
                item.path,
                { ...item, size: Buffer.byteLength(item.text) },
              ])
              .sort(),
          ),
        );
        written += items.length;
      },
    ),
    { numRuns: 200 },
  );
  assert.ok(written > 200, `${written} entries were written`);
});

/** Headers whose checksum is right, so that the fuzz gets past it, and bodies of all lengths. */
const rawEntry = fc.record({
  name: fc
    .oneof(
      path,
      fc.string({ maxLength: 100 }),
      fc.constantFrom("/abs", "../up", ".", "./", "a/", ""),
    )
    .filter((text) => Buffer.byteLength(text) <= 100),
  type: fc.constantFrom(
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "x",
    "g",
    "L",
    "K",
    "S",
    "V",
    "\0",
    "Z",
  ),
  link: fc.oneof(fc.constantFrom("", "/x", "../x", "a"), fc.string({ maxLength: 30 })),
  content: fc.oneof(
    fc.constantFrom(
      "",
      "12 path=abc\n",
      "13 size=9999\n",
      "10 size=1\n",
      "13 uid=99999\n",
      "16 linkpath=a/b\n",
      "999999 path=x\n",
      "-1 path=x\n",
      " path=x\n",
    ),
    fc.string({ maxLength: 700 }),
  ),
  size: fc.option(fc.oneof(fc.nat({ max: 5000 }), fc.constant(2 ** 32)), { nil: undefined }),
});

test("archives of wild entries end in a typed error or in plain paths, never in anything else", async () => {
  let read = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(rawEntry, { maxLength: 6 }),
      fc.integer({ min: 1, max: 2000 }),
      async (items, chunkSize) => {
        const tar = Buffer.concat([
          ...items.map(({ name, size, ...item }) =>
            entryOf(name, { ...item, ...(size === undefined ? {} : { size }) }),
          ),
          Buffer.alloc(1024),
        ]);
        read += await readAll(tar, chunkSize);
      },
    ),
    { numRuns: 1500 },
  );
  assert.ok(read > 300, `${read} entries were read`);
});

test("arbitrary bytes end in a typed error or a list, never in anything else", async () => {
  const valid = Buffer.concat(
    await Array.fromAsync(
      writeTar([{ path: "a/b", type: "file", mode: 0o644, size: 3, content: Buffer.from("abc") }]),
    ),
  );
  const damage = fc.array(fc.tuple(fc.nat(valid.byteLength - 1), fc.nat(255)), {
    minLength: 1,
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(damage, async (changes) => {
      const bytes = Buffer.from(valid);
      for (const [offset, value] of changes) bytes[offset] = value;
      await readAll(bytes);
    }),
    { numRuns: 400 },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 4096 }),
      async (bytes) => void (await readAll(bytes)),
    ),
    { numRuns: 200 },
  );
});

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.byteLength; offset += size)
    yield bytes.subarray(offset, offset + size);
}

/** @returns how many entries came out. */
async function readAll(bytes: Uint8Array, chunkSize = 1000): Promise<number> {
  let count = 0;
  try {
    for await (const { entry: found, content } of readTar(chunked(bytes, chunkSize), {
      maxBytes: 10_000_000,
    })) {
      count += 1;
      assert.ok(
        found.path === "."
          ? found.type === "directory"
          : found.path.split("/").every((text) => text !== "" && text !== "." && text !== ".."),
        `"${found.path}" is not plain`,
      );
      let size = 0;
      for await (const chunk of content) size += chunk.byteLength;
      assert.equal(size, found.size);
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    assert.ok(isToolError(error), String((error as Error).stack));
  }
  return count;
}
