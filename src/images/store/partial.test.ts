import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { createTempDir } from "../../ground/process/index.ts";
import { digestOf, MEDIA_TYPES, type Descriptor } from "../oci/index.ts";
import { randomBytesOf } from "../../../test/support/random-image.ts";
import { createStore } from "./index.ts";
import type { Store } from "./contracts.ts";

const MIB = 2 ** 20;
const SIZE = 24 * MIB;
const CHILD = resolve(import.meta.dirname, "../../../test/support/pull-child.ts");
const bytes = randomBytesOf(1, SIZE);
const target: Descriptor = {
  mediaType: MEDIA_TYPES.layerTar,
  digest: digestOf(bytes),
  size: SIZE,
};

async function folderOf(t: TestContext): Promise<string> {
  const folder = await createTempDir("partial");
  t.after(() => folder[Symbol.asyncDispose]());
  return folder.path;
}

function storeIn(folder: string): Store {
  return createStore({ dataDir: join(folder, "data"), cacheDir: join(folder, "cache") });
}

/** Opens the blob, notes from where, and breaks off at a place. */
function opener(
  asked: number[],
  breakAt = Infinity,
): (offset: number) => AsyncGenerator<Uint8Array> {
  return async function* (offset) {
    asked.push(offset);
    for (let at = offset; at < SIZE; at += MIB) {
      if (at >= breakAt) throw new Error("the line is cut");
      yield bytes.subarray(at, at + MIB);
    }
  };
}

async function isWhole(store: Store): Promise<boolean> {
  const found: Uint8Array[] = [];
  for await (const chunk of store.open(target)) found.push(chunk);
  return Buffer.concat(found).equals(bytes);
}

test("a large blob that was cut off goes on where it was, in another store object too", async (t) => {
  const folder = await folderOf(t);
  const asked: number[] = [];
  {
    await using store = storeIn(folder);
    await assert.rejects(store.putFrom(target, opener(asked, 20 * MIB)), /the line is cut/);
    assert.equal(await store.has(target), false);
  }
  await using store = storeIn(folder);
  await store.putFrom(target, opener(asked));
  assert.deepEqual(asked, [0, 20 * MIB]);
  assert.ok(await isWhole(store));
  assert.deepEqual(await readdir(join(folder, "data/tmp/partial")), []);
});

test("a beginning that is damaged or too long is thrown away, and the blob is read whole", async (t) => {
  for (const beginning of [Buffer.alloc(5 * MIB), Buffer.alloc(SIZE + 1)]) {
    const folder = await folderOf(t);
    const asked: number[] = [];
    await using store = storeIn(folder);
    await assert.rejects(store.putFrom(target, opener(asked, MIB)));
    await writeFile(join(folder, "data/tmp/partial", target.digest.slice(7)), beginning);
    await store.putFrom(target, opener(asked));
    assert.equal(asked.at(-1), 0);
    assert.ok(await isWhole(store));
  }
});

test("a blob whose process was killed goes on within a megabyte of where it was", async (t) => {
  const folder = await folderOf(t);
  const args = [CHILD, join(folder, "data"), join(folder, "cache"), "1", String(SIZE)];
  const child = spawn(process.execPath, [...args, String(20 * MIB)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout.setEncoding("utf8");
  for await (const text of child.stdout) if (String(text).includes("stopped")) break;
  child.kill("SIGKILL");
  await once(child, "exit");
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const from = Number(/from (\d+)/.exec(stdout)?.[1]);
  assert.ok(from >= 19 * MIB && from <= 20 * MIB, `it began at ${from}`);
  await using store = storeIn(folder);
  assert.ok(await isWhole(store));
});
