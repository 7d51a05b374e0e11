import assert from "node:assert/strict";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { isToolError } from "../../ground/errors/index.ts";
import { createTempDir } from "../../ground/process/index.ts";
import { entryOf, tarOf } from "../../../test/support/tiny-tar.ts";
import { openArchive } from "./open-archive.ts";
import { scanTar } from "./scan-tar.ts";

const NAMES = ["oci-layout", "index.json", "manifest.json", "blobs/sha256/x", "a/b"] as const;
const archive = fc
  .array(
    fc.record({
      name: fc.constantFrom(...NAMES),
      type: fc.constantFrom("0", "1", "2", "5", "x", "L", "g", "K"),
      content: fc.string({ maxLength: 60 }),
      link: fc.constantFrom("", "a/b", "index.json", "../x"),
    }),
    { maxLength: 6 },
  )
  .map((entries) =>
    Buffer.concat([
      ...entries.map(({ name, ...entry }) => entryOf(name, entry)),
      Buffer.alloc(1024),
    ]),
  );
const damaged = fc
  .tuple(
    archive,
    fc.array(fc.tuple(fc.nat(4000), fc.integer({ min: 0, max: 255 })), { maxLength: 8 }),
    fc.nat(4000),
  )
  .map(([bytes, changes, cut]) => {
    for (const [at, value] of changes) if (at < bytes.byteLength) bytes[at] = value;
    return cut % 3 === 0 ? bytes.subarray(0, cut) : bytes;
  });

async function outcome(use: () => Promise<unknown>): Promise<void> {
  try {
    await use();
  } catch (error) {
    assert.ok(isToolError(error), String(error));
  }
}

test("whatever the bytes, reading an archive ends with its members or with one of our errors", async () => {
  await using folder = await createTempDir("scan");
  const path = join(folder.path, "archive.tar");
  await fc.assert(
    fc.asyncProperty(damaged, async (bytes) => {
      await writeFile(path, bytes);
      await outcome(async () => {
        await using file = await open(path, "r");
        await scanTar(file, { path });
      });
      await outcome(async () => (await openArchive(path))[Symbol.asyncDispose]());
    }),
    { numRuns: 150 },
  );
});

test("whatever the JSON in it, opening an archive ends well or with one of our errors", async () => {
  await using folder = await createTempDir("scan");
  const path = join(folder.path, "archive.tar");
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (index, list) => {
      await writeFile(
        path,
        tarOf({
          "oci-layout": "{}",
          "index.json": JSON.stringify({ manifests: index }),
          "manifest.json": JSON.stringify([{ Config: "index.json", Layers: list, RepoTags: list }]),
        }),
      );
      await outcome(async () => (await openArchive(path))[Symbol.asyncDispose]());
      await writeFile(
        path,
        tarOf({ "index.json": JSON.stringify(index), "manifest.json": JSON.stringify(list) }),
      );
      await outcome(async () => (await openArchive(path))[Symbol.asyncDispose]());
    }),
    { numRuns: 100 },
  );
});
