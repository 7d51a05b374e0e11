import assert from "node:assert/strict";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { createTempDir, run } from "../../ground/process/index.ts";
import { entryOf, tarOf } from "../../../test/support/tiny-tar.ts";
import { scanTar, type TarMember } from "./scan-tar.ts";

async function scan(bytes: Uint8Array): Promise<ReadonlyMap<string, TarMember>> {
  await using folder = await createTempDir("scan");
  const path = join(folder.path, "archive.tar");
  await writeFile(path, bytes);
  await using file = await open(path, "r");
  return await scanTar(file, { path: "archive.tar" });
}

const pax = (...records: readonly string[]): Buffer =>
  entryOf("PaxHeaders/x", { type: "x", content: records.map(record).join("") });
const record = (text: string): string => {
  const rest = ` ${text}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length)
    length = String(length).length + rest.length;
  return `${length}${rest}`;
};
const END = Buffer.alloc(1024);

test("members are listed with the place of their content", async () => {
  const bytes = tarOf({
    "./index.json": "{}",
    "blobs/": { type: "5" },
    "a/b": "hello",
    link: { type: "2", link: "a/b" },
  });
  const members = await scan(bytes);
  assert.deepEqual([...members.keys()], ["index.json", "blobs", "a/b", "link"]);
  const member = members.get("a/b");
  assert.ok(member !== undefined);
  assert.equal(bytes.toString("utf8", member.offset, member.offset + member.size), "hello");
  assert.equal(members.get("link")?.linkTarget, "a/b");
});

test("long names of both kinds and large sizes are understood", async () => {
  const long = `${"d/".repeat(100)}file`;
  const members = await scan(
    Buffer.concat([
      pax(`path=${long}`, "size=5", "mtime=1.5"),
      entryOf("short", { content: "hello", size: 0 }),
      entryOf("././@LongLink", { type: "L", content: `${long}2\0` }),
      entryOf("short", { content: "world" }),
      END,
    ]),
  );
  assert.deepEqual(
    [...members.values()].map(({ name, size }) => [name, size]),
    [
      [long, 5],
      [`${long}2`, 5],
    ],
  );
});

test("an archive that ends without zero blocks is read", async () =>
  assert.equal((await scan(entryOf("a", { content: "x" }))).size, 1));

test("what GNU tar writes in each of its formats is read", async () => {
  await using folder = await createTempDir("scan");
  const name = `${"long-folder-name/".repeat(8)}file-é`;
  await run([
    "sh",
    "-c",
    `mkdir -p "$1/$(dirname "$2")" && printf hello > "$1/$2"`,
    "sh",
    folder.path,
    name,
  ]);
  for (const format of ["gnu", "pax"]) {
    const { stdout } = await run(["tar", "-C", folder.path, `--format=${format}`, "-cf", "-", "."]);
    assert.equal((await scan(stdout)).get(name)?.size, 5, format);
  }
});

const bad = (change: (bytes: Buffer) => void): Buffer => {
  const bytes = tarOf({ a: "x" });
  change(bytes);
  return bytes;
};

const HOSTILE: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ["a name above the archive", tarOf({ "../x": "x" }), /leads out/],
  ["a name above it in the middle", tarOf({ "a/../../x": "x" }), /leads out/],
  ["an absolute name", tarOf({ "/etc/passwd": "x" }), /leads out/],
  [
    "an absolute name by extension",
    Buffer.concat([pax("path=/etc/passwd"), entryOf("a", { content: "x" }), END]),
    /leads out/,
  ],
  [
    "a NUL in a name",
    Buffer.concat([pax("path=a\0b"), entryOf("a", { content: "x" }), END]),
    /leads out/,
  ],
  [
    "a name that comes twice",
    Buffer.concat([entryOf("a", { content: "x" }), entryOf("./a", { content: "y" }), END]),
    /"a" comes twice/,
  ],
  ["a device", tarOf({ dev: { type: "3" } }), /"dev" is neither/],
  ["a named pipe", tarOf({ pipe: { type: "6" } }), /neither/],
  ["a sparse file", tarOf({ sparse: { type: "S" } }), /neither/],
  [
    "a sparse file by extension",
    Buffer.concat([pax("GNU.sparse.major=1"), entryOf("a", { content: "x" }), END]),
    /sparse/,
  ],
  ["a size beyond the end", tarOf({ a: { content: "x", size: 1 << 30 } }), /cut short/],
  ["a size that is negative in base 256", bad((bytes) => bytes.fill(0xff, 124, 136)), /damaged/],
  [
    "a size that is no number",
    Buffer.concat([pax("size=-1"), entryOf("a", { content: "x" }), END]),
    /size/,
  ],
  [
    "a size larger than any file",
    Buffer.concat([pax("size=99999999999999999999"), entryOf("a", { content: "x" }), END]),
    /size/,
  ],
  ["a wrong checksum", bad((bytes) => bytes.write("b", 0)), /damaged/],
  ["a header that is cut", tarOf({ a: "x" }).subarray(0, 300), /cut short/],
  ["an extension that nothing follows", Buffer.concat([pax("path=a"), END]), /extension/],
  [
    "an extension with a wrong length",
    Buffer.concat([entryOf("x", { type: "x", content: "99 path=a\n" }), entryOf("a", {}), END]),
    /PAX record/,
  ],
  [
    "an extension without a key",
    Buffer.concat([entryOf("x", { type: "x", content: "5 =a\n" }), entryOf("a", {}), END]),
    /PAX record/,
  ],
  [
    "an extension without a length",
    Buffer.concat([entryOf("x", { type: "x", content: "path=a\n" }), entryOf("a", {}), END]),
    /PAX record/,
  ],
  [
    "an extension without end",
    entryOf("x", { type: "x", content: Buffer.alloc(2 << 20, "1") }),
    /extension/,
  ],
  [
    "a name without end",
    Buffer.concat([entryOf("L", { type: "L", content: "a".repeat(5000) }), entryOf("a", {}), END]),
    /4096/,
  ],
  ["text", Buffer.alloc(2048, "hello "), /no tar file/],
];
for (const [what, bytes, why] of HOSTILE) {
  test(`${what} is refused`, () =>
    assert.rejects(scan(bytes), { code: "ARCHIVE_INVALID", message: why }));
}

test("more members than any image has are refused", async () => {
  const many = Buffer.concat(Array.from({ length: 20_001 }, (_, at) => entryOf(String(at), {})));
  await assert.rejects(scan(many), { code: "LIMIT_EXCEEDED" });
});

test("a gzip stream is no tar", () =>
  assert.rejects(scan(gzipSync(tarOf({ a: "x" }))), { code: "ARCHIVE_INVALID" }));
