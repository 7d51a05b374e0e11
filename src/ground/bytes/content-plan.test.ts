import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFile, link, rename, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import {
  guardOf,
  hashPlan,
  openPlan,
  parsePlan,
  planKey,
  planOf,
  planToJson,
  type ContentPlan,
  type Segment,
} from "./index.ts";
import { createTempDir, run, type TempDir } from "../process/index.ts";

const MIB = 1 << 20;

async function fileSegment(path: string): Promise<Segment> {
  return { kind: "file", path, guard: guardOf(await stat(path, { bigint: true })) };
}

async function sample(
  folder: TempDir,
  bytes = 2.5 * MIB,
): Promise<{ readonly plan: ContentPlan; readonly whole: Buffer; readonly path: string }> {
  const content = Buffer.alloc(bytes, "0123456789abcdef#");
  const path = join(folder.path, "weights.bin");
  await writeFile(path, content);
  const plan = planOf([
    { kind: "bytes", bytes: Buffer.from("head") },
    await fileSegment(path),
    { kind: "bytes", bytes: Buffer.from("tail") },
  ]);
  return { plan, whole: Buffer.concat([Buffer.from("head"), content, Buffer.from("tail")]), path };
}

async function read(plan: ContentPlan, offset?: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of openPlan(plan, { offset })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test("a plan gives its bytes from any offset, in chunks of at most 1 MiB that stay as they were", async () => {
  await using folder = await createTempDir("plan");
  const { plan, whole } = await sample(folder);
  assert.equal(plan.size, whole.byteLength);
  for (const offset of [0, 3, 4, 5, MIB, plan.size - 4, plan.size - 3, plan.size])
    assert.deepEqual(await read(plan, offset), whole.subarray(offset), `from ${offset}`);
  for await (const chunk of openPlan(plan)) assert.ok(chunk.byteLength <= MIB);
});

test("an offset outside the plan is refused", async () => {
  const plan = planOf([{ kind: "bytes", bytes: Buffer.from("abc") }]);
  for (const offset of [-1, 4, 0.5]) await assert.rejects(read(plan, offset), RangeError);
});

test("nothing is read further ahead than one chunk", async () => {
  await using folder = await createTempDir("plan");
  const { plan, path } = await sample(folder, 8 * MIB);
  const stream = openPlan(plan);
  for (let chunk = 0; chunk < 3; chunk += 1) await stream.next();
  await truncate(path, 4 * MIB);
  await assert.rejects(Array.fromAsync(stream), { code: "FILE_CHANGED" });
});

const CHANGES: readonly (readonly [string, (path: string) => Promise<unknown>, RegExp])[] = [
  ["grew", (path) => appendFile(path, "x"), /it had 2621440 bytes and now has 2621441/],
  ["was cut short", (path) => truncate(path, 10), /now has 10/],
  ["was touched", (path) => utimes(path, 1, 1), /it was written to/],
  ["got another link", (path) => link(path, `${path}.link`), /its metadata changed/],
  [
    "was replaced",
    async (path) => (
      await writeFile(`${path}.new`, Buffer.alloc(2.5 * MIB)),
      rename(`${path}.new`, path)
    ),
    /replaced by another file/,
  ],
  ["was removed", (path) => rm(path), /no longer there/],
  ["became a named pipe", async (path) => (await rm(path), run(["mkfifo", path])), /weights\.bin/],
];

for (const [what, change, why] of CHANGES) {
  test(`a file that ${what} since it was planned is refused by name`, async () => {
    await using folder = await createTempDir("plan");
    const { plan, path } = await sample(folder);
    await change(path);
    await assert.rejects(
      read(plan),
      (error: Error & { code?: string }) =>
        error.code === "FILE_CHANGED" &&
        error.message.includes("weights.bin") &&
        why.test(error.message),
    );
  });
}

test("a file that changes while it is read does not end cleanly", async () => {
  await using folder = await createTempDir("plan");
  const { plan, path } = await sample(folder);
  const stream = openPlan(plan, { offset: 4 });
  await stream.next();
  await utimes(path, 1, 1);
  await assert.rejects(Array.fromAsync(stream), { code: "FILE_CHANGED", message: /weights\.bin/ });
});

test("an abort ends the stream with the signal's reason", async () => {
  await using folder = await createTempDir("plan");
  const { plan } = await sample(folder);
  const abort = new AbortController();
  const stream = openPlan(plan, { signal: abort.signal });
  await stream.next();
  abort.abort(new Error("stop"));
  await assert.rejects(stream.next(), /stop/);
});

test("a consumer that stops early leaves no file open", async () => {
  await using folder = await createTempDir("plan");
  const { plan } = await sample(folder);
  for await (const chunk of openPlan(plan, { offset: 4 })) {
    assert.ok(chunk.byteLength > 0);
    break;
  }
});

test("a plan is hashed whole, and progress adds up to its size", async () => {
  await using folder = await createTempDir("plan");
  const { plan, whole } = await sample(folder);
  let seen = 0;
  const hex = await hashPlan(plan, { onProgress: (bytes) => (seen += bytes) });
  assert.equal(hex, createHash("sha256").update(whole).digest("hex"));
  assert.equal(seen, plan.size);
});

test("a plan survives JSON", async () => {
  await using folder = await createTempDir("plan");
  const { plan } = await sample(folder);
  const back = parsePlan(JSON.parse(JSON.stringify(planToJson(plan))));
  assert.deepEqual(await read(back), await read(plan));
  assert.equal(planKey(back), planKey(plan));
});

test("JSON that is no plan is refused", () => {
  const guard = { dev: "1", ino: "1", size: 1, mtimeNs: "1", ctimeNs: "1" };
  const wrong: readonly unknown[] = [
    null,
    [],
    {},
    { size: 0 },
    { size: 1, segments: [] },
    { size: 0, segments: [{}] },
    { size: 1, segments: [{ path: "", guard }] },
    { size: 1, segments: [{ path: "/a", guard: { ...guard, ino: 7 } }] },
    { size: -1, segments: [{ path: "/a", guard: { ...guard, size: -1 } }] },
  ];
  for (const value of wrong)
    assert.throws(() => parsePlan(value), { code: "STORE_INVALID" }, JSON.stringify(value));
});

test("the key of a plan depends on bytes and guards, not on paths or on how literals are cut", async () => {
  await using folder = await createTempDir("plan");
  const { plan, path } = await sample(folder);
  const [head, file, tail] = plan.segments as [
    Segment,
    Extract<Segment, { kind: "file" }>,
    Segment,
  ];
  const key = planKey(plan);
  const literal = (text: string): Segment => ({ kind: "bytes", bytes: Buffer.from(text) });
  assert.equal(
    planKey(planOf([literal("he"), literal("ad"), { ...file, path: `${path}/elsewhere` }, tail])),
    key,
  );
  assert.notEqual(planKey(planOf([file, head, tail])), key);
  assert.notEqual(planKey(planOf([literal("heaD"), file, tail])), key);
  assert.notEqual(
    planKey(planOf([head, { ...file, guard: { ...file.guard, mtimeNs: "1" } }, tail])),
    key,
  );
});
