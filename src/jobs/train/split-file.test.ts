import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTempDir } from "../../ground/process/index.ts";
import { joinParts, PART_BYTES, splitFile } from "./index.ts";

test("a file is cut into numbered parts and put together again", async () => {
  await using folder = await createTempDir("split");
  const [whole, parts] = [join(folder.path, "train.lmdb"), join(folder.path, "parts")];
  const content = randomBytes(2_500_000);
  await writeFile(whole, content);
  assert.deepEqual(
    await splitFile(whole, parts, { partBytes: 1_000_000 }),
    ["0001", "0002", "0003"].map((number) => join(parts, `train.lmdb-part${number}`)),
  );
  assert.equal((await stat(join(parts, "train.lmdb-part0003"))).size, 500_000);
  const copy = join(folder.path, "copy");
  assert.equal(await joinParts({ folder: parts, prefix: "train.lmdb" }, copy), 3);
  assert.ok((await readFile(copy)).equals(content));
  assert.deepEqual(await readdir(parts), []);
});

test("a missing part is named, and nothing is removed", async () => {
  await using folder = await createTempDir("split");
  await writeFile(join(folder.path, "x"), "abcdef");
  const parts = join(folder.path, "parts");
  await splitFile(join(folder.path, "x"), parts, { partBytes: 2 });
  await rm(join(parts, "x-part0002"));
  await assert.rejects(joinParts({ folder: parts, prefix: "x" }, join(folder.path, "y")), {
    code: "PROJECT_NOT_FOUND",
    message: /part 0002/,
  });
  assert.equal((await readdir(parts)).length, 2);
  await assert.rejects(joinParts({ folder: parts, prefix: "z" }, join(folder.path, "y")), {
    code: "PROJECT_NOT_FOUND",
  });
});

test("more parts than numbers there are is refused before the first, and parts are as large as they always were", async () => {
  await using folder = await createTempDir("split");
  await writeFile(join(folder.path, "x"), Buffer.alloc(10_000));
  await assert.rejects(
    splitFile(join(folder.path, "x"), join(folder.path, "parts"), { partBytes: 1 }),
    { code: "LIMIT_EXCEEDED" },
  );
  await assert.rejects(splitFile(join(folder.path, "none"), folder.path), {
    code: "PROJECT_NOT_FOUND",
  });
  assert.deepEqual(await readdir(folder.path), ["x"]);
  assert.equal(PART_BYTES, 134_217_728);
});
