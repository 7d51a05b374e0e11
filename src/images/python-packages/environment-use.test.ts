import assert from "node:assert/strict";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createTempDir, ownerName } from "../../ground/process/index.ts";
import { markUse, pruneEnvironments } from "./environment-use.ts";

const DAY_MS = 86_400_000;
const [FRESH, OLD, SERVING] = ["a", "b", "c"].map((letter) => letter.repeat(32)) as [
  string,
  string,
  string,
];
/** A process of this machine that has ended: no process id is that large. */
const GONE = ownerName().replace(/^\d+/, "99999999");

async function place(t: TestContext): Promise<string> {
  const folder = await createTempDir("slipway-environments");
  t.after(() => folder[Symbol.asyncDispose]());
  for (const name of [FRESH, OLD, SERVING]) {
    await mkdir(join(folder.path, name, "bin"), { recursive: true });
    await writeFile(join(folder.path, name, "bin/python"), "");
  }
  for (const [name, days] of [
    [FRESH, 1],
    [OLD, 40],
  ] as const) {
    const users = join(folder.path, `${name}.users`);
    await mkdir(users);
    await writeFile(join(users, GONE), "");
    const then = new Date(Date.now() - days * DAY_MS);
    await utimes(users, then, then);
  }
  await markUse(join(folder.path, SERVING));
  await mkdir(join(folder.path, "mine"));
  return folder.path;
}

const monthAgo = (): number => Date.now() - 30 * DAY_MS;

test("environments that nobody used for long go, with what was said of them", async (t) => {
  const parent = await place(t);
  assert.equal(await pruneEnvironments(parent, { usedBeforeMs: monthAgo(), isDryRun: true }), 1);
  assert.equal((await readdir(parent)).includes(OLD), true);
  assert.equal(await pruneEnvironments(parent, { usedBeforeMs: monthAgo() }), 1);
  const left = (await readdir(parent)).filter((name) => !name.endsWith(".lock"));
  assert.deepEqual(left.toSorted(), [FRESH, `${FRESH}.users`, SERVING, `${SERVING}.users`, "mine"]);
});

test("what a running process uses stays, however long ago it began", async (t) => {
  const parent = await place(t);
  const long = new Date(Date.now() - 90 * DAY_MS);
  await utimes(join(parent, `${SERVING}.users`), long, long);
  assert.equal(await pruneEnvironments(parent, { usedBeforeMs: Date.now() + DAY_MS }), 2);
  assert.deepEqual(
    (await readdir(parent)).filter((name) => /^\w{32}$/.test(name)),
    [SERVING],
  );
});

test("a folder that is not there has nothing to remove", async (t) => {
  assert.equal(await pruneEnvironments(join(await place(t), "none"), { usedBeforeMs: 0 }), 0);
});
