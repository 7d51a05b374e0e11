import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { planTar, readTar, writeTar, type TarEntry, type TarInput } from "./index.ts";

const file = (path: string, text: string, mode = 0o644): TarInput => ({ path, type: "file", mode, size: Buffer.byteLength(text), content: Buffer.from(text) });
const folder = (path: string): TarInput => ({ path, type: "directory", mode: 0o755, size: 0 });

async function bytesOf(entries: readonly TarInput[], mtimeS = 0): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(entries, { mtimeS })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.byteLength; offset += size) yield bytes.subarray(offset, offset + size);
}

async function listOf(bytes: Uint8Array, chunkSize = 700): Promise<readonly (TarEntry & { readonly text: string })[]> {
  const found: (TarEntry & { text: string })[] = [];
  for await (const { entry, content } of readTar(chunked(bytes, chunkSize))) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    found.push({ ...entry, text: Buffer.concat(chunks).toString() });
  }
  return found;
}

const long = `${"d".repeat(120)}/${"f".repeat(130)}.txt`;
const mixed: readonly TarInput[] = [
  file("a-b", "1"),
  folder("a"),
  file("a/x.sh", "#!", 0o755),
  { path: "a/link", type: "symlink", mode: 0o777, size: 0, linkTarget: "x.sh" },
  { path: "a/zhard", type: "hardlink", mode: 0o755, size: 0, linkTarget: "a/x.sh" },
  file("模型/权重.bin", "w"),
  file(long, "long"),
  file(`p${"q".repeat(98)}/r${"s".repeat(90)}`, "prefix"),
];

test("a tar has the same bytes on every machine and day", async () => {
  const digest = createHash("sha256").update(await bytesOf(mixed)).digest("hex");
  assert.equal(digest, "d2c7185d6789ce2db7c825ebf43fbec0e3746dff667d6e3a7ab8b6d0a0887277");
});

test("the order in which entries come does not matter", async () => {
  assert.deepEqual(await bytesOf([...mixed].reverse()), await bytesOf(mixed));
});

test("what is written is read back, sorted bytewise with parents first", async () => {
  const read = await listOf(await bytesOf(mixed));
  assert.deepEqual(read.map(({ path }) => path), ["a-b", "a", "a/link", "a/x.sh", "a/zhard", long, `p${"q".repeat(98)}/r${"s".repeat(90)}`, "模型/权重.bin"]);
  assert.equal(read.find(({ path }) => path === long)?.text, "long");
  assert.equal(read.find(({ path }) => path === "a/zhard")?.linkTarget, "a/x.sh");
  assert.equal(read.find(({ path }) => path === "a/x.sh")?.mode, 0o755);
});

test("PAX is used only where ustar cannot say it", async () => {
  assert.equal((await bytesOf([file("plain", "x")])).byteLength, 512 + 512 + 1024);
  assert.equal((await bytesOf([file("é", "x")])).byteLength, 3 * 512 + 512 + 1024 - 0);
});

test("a file of 8 GiB and more is planned without its content, its size in PAX", async () => {
  const size = 8 * 2 ** 30;
  const plan = planTar([{ path: "model.bin", type: "file", mode: 0o644, size }]);
  assert.deepEqual(plan.segments.map(({ kind }) => kind), ["bytes", "content", "bytes"]);
  assert.equal(plan.size, 3 * 512 + size + 1024);
  const header = plan.segments[0];
  assert.ok(header?.kind === "bytes" && Buffer.from(header.bytes).includes(`size=${size}\n`));
  assert.equal(planTar([{ path: "model.bin", type: "file", mode: 0o644, size: size - 1 }]).size, 512 + size + 1024);
});

test("a caller may leave an entry's content unread or half read", async () => {
  const bytes = await bytesOf([file("one", "1".repeat(5000)), file("two", "2")]);
  const paths: string[] = [];
  for await (const { entry, content } of readTar(chunked(bytes, 333))) {
    paths.push(entry.path);
    for await (const chunk of content) {
      assert.ok(chunk.byteLength > 0);
      break;
    }
  }
  assert.deepEqual(paths, ["one", "two"]);
});

test("content that is longer or shorter than announced is refused", async () => {
  await assert.rejects(bytesOf([{ ...file("x", "abc"), size: 2 }]), { code: "FILE_CHANGED", message: /"x" should have 2 bytes, and has more/ });
  await assert.rejects(bytesOf([{ ...file("x", "abc"), size: 4 }]), { code: "FILE_CHANGED" });
});

for (const path of ["", "/abs", "a/../b", "./a", "a//b", "a\u0000"]) {
  test(`the path ${JSON.stringify(path)} is not written`, async () => {
    await assert.rejects(bytesOf([file(path, "x")]), { code: "FILE_REFUSED" });
  });
}

test("a path that comes twice is not written", async () => {
  await assert.rejects(bytesOf([file("a", "1"), file("a", "2")]), { code: "FILE_REFUSED", message: /"a" comes twice/ });
});

/** A header with some fields replaced and its checksum made right again. */
function forged(bytes: Buffer, change: (header: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  const header = copy.subarray(0, 512);
  change(header);
  header.write("        ", 148, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148, "latin1");
  return copy;
}

const hostile: readonly (readonly [string, (header: Buffer) => void, string])[] = [
  ["an absolute path", (header) => header.write("/etc/passwd\u0000", 0), "ARCHIVE_INVALID"],
  ["a path that leaves the archive", (header) => header.write("a/../../b\u0000", 0), "ARCHIVE_INVALID"],
  ["an unknown type", (header) => header.write("Z", 156), "ARCHIVE_INVALID"],
  ["a size that is no number", (header) => header.write("9x999999999\u0000", 124), "ARCHIVE_INVALID"],
  ["a size beyond the end", (header) => header.write("00000777777\u0000", 124), "ARCHIVE_INVALID"],
  ["a negative base-256 size", (header) => header.fill(0xff, 124, 136), "ARCHIVE_INVALID"],
  ["a size beyond every limit", (header) => header.set([0x80, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0], 124), "LIMIT_EXCEEDED"],
];
for (const [name, change, code] of hostile) {
  test(`reading refuses ${name}`, async () => {
    await assert.rejects(listOf(forged(await bytesOf([file("victim", "x")]), change)), { code });
  });
}

test("reading refuses a wrong checksum", async () => {
  const bytes = await bytesOf([file("victim", "x")]);
  bytes[0] = 0x41;
  await assert.rejects(listOf(bytes), { code: "ARCHIVE_INVALID", message: /checksum/ });
});

test("devices are surfaced as such, and hard links out of the archive refused", async () => {
  const device = forged(await bytesOf([file("null", "")]), (header) => header.write("3", 156));
  assert.equal((await listOf(device))[0]?.type, "device");
  const link = forged(await bytesOf([file("l", "")]), (header) => {
    header.write("1", 156);
    header.write("../../etc/shadow\u0000", 157);
  });
  await assert.rejects(listOf(link), { code: "ARCHIVE_INVALID" });
});

test("a path that comes twice is refused when asked", async () => {
  const one = await bytesOf([file("a", "1")]);
  const twice = Buffer.concat([one.subarray(0, 1024), one]);
  assert.equal((await listOf(twice)).length, 2);
  await assert.rejects(Array.fromAsync(readTar(chunked(twice, 512), { refuseDuplicates: true })), { code: "ARCHIVE_INVALID" });
});

test("the number of entries and of bytes is bounded", async () => {
  const bytes = await bytesOf([file("a", "1"), file("b", "22")]);
  await assert.rejects(Array.fromAsync(readTar(chunked(bytes, 512), { maxEntries: 1 })), { code: "LIMIT_EXCEEDED" });
  await assert.rejects(Array.fromAsync(readTar(chunked(bytes, 512), { maxBytes: 2 })), { code: "LIMIT_EXCEEDED" });
});
