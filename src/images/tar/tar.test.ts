import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { entryOf, type TinyEntry } from "../../../test/support/tiny-tar.ts";
import { planTar, readTar, writeTar, type TarEntry, type TarInput } from "./index.ts";

const file = (path: string, text: string, mode = 0o644): TarInput => ({
  path,
  type: "file",
  mode,
  size: Buffer.byteLength(text),
  content: Buffer.from(text),
});
const folder = (path: string): TarInput => ({ path, type: "directory", mode: 0o755, size: 0 });

async function bytesOf(entries: readonly TarInput[], mtimeS = 0): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(entries, { mtimeS })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.byteLength; offset += size)
    yield bytes.subarray(offset, offset + size);
}

async function readEntries(
  bytes: Uint8Array,
  chunkSize = 700,
): Promise<readonly (TarEntry & { readonly text: string })[]> {
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
  const digest = createHash("sha256")
    .update(await bytesOf(mixed))
    .digest("hex");
  assert.equal(digest, "d2c7185d6789ce2db7c825ebf43fbec0e3746dff667d6e3a7ab8b6d0a0887277");
});

test("the order in which entries come does not matter", async () => {
  assert.deepEqual(await bytesOf([...mixed].reverse()), await bytesOf(mixed));
});

test("what is written is read back, sorted bytewise with parents first", async () => {
  const read = await readEntries(await bytesOf(mixed));
  assert.deepEqual(
    read.map(({ path }) => path),
    [
      "a-b",
      "a",
      "a/link",
      "a/x.sh",
      "a/zhard",
      long,
      `p${"q".repeat(98)}/r${"s".repeat(90)}`,
      "模型/权重.bin",
    ],
  );
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
  assert.deepEqual(
    plan.segments.map(({ kind }) => kind),
    ["bytes", "content", "bytes"],
  );
  assert.equal(plan.size, 3 * 512 + size + 1024);
  const header = plan.segments[0];
  assert.ok(header?.kind === "bytes" && Buffer.from(header.bytes).includes(`size=${size}\n`));
  assert.equal(
    planTar([{ path: "model.bin", type: "file", mode: 0o644, size: size - 1 }]).size,
    512 + size + 1024,
  );
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
  await assert.rejects(bytesOf([{ ...file("x", "abc"), size: 2 }]), {
    code: "FILE_CHANGED",
    message: /"x" should have 2 bytes, and has more/,
  });
  await assert.rejects(bytesOf([{ ...file("x", "abc"), size: 4 }]), { code: "FILE_CHANGED" });
});

for (const path of ["", "/abs", "a/../b", "./a", "a//b", "a\u0000"]) {
  test(`the path ${JSON.stringify(path)} is not written`, async () => {
    await assert.rejects(bytesOf([file(path, "x")]), { code: "FILE_REFUSED" });
  });
}

test("a path that comes twice is not written", async () => {
  await assert.rejects(bytesOf([file("a", "1"), file("a", "2")]), {
    code: "FILE_REFUSED",
    message: /"a" is refused: it comes twice/,
  });
});

test("a hard link stands behind the file it names, whatever their names", async () => {
  const link = (path: string, linkTarget: string): TarInput => ({
    path,
    type: "hardlink",
    mode: 0o644,
    size: 0,
    linkTarget,
  });
  const read = await readEntries(
    await bytesOf([link("a", "m"), file("m", "x"), link("b", "m"), file("c", "y"), link("n", "c")]),
  );
  assert.deepEqual(
    read.map(({ path }) => path),
    ["c", "m", "a", "b", "n"],
  );
});

const UNWRITABLE: readonly (readonly [string, readonly TarInput[], RegExp])[] = [
  [
    "a hard link to nothing",
    [{ path: "l", type: "hardlink", mode: 0o644, size: 0, linkTarget: "x" }],
    /"l" .* no file of the same tar/,
  ],
  [
    "a hard link to a folder",
    [folder("x"), { path: "l", type: "hardlink", mode: 0o644, size: 0, linkTarget: "x" }],
    /no file of the same tar/,
  ],
  [
    "a hard link to a link",
    [
      file("x", ""),
      { path: "l", type: "hardlink", mode: 0o644, size: 0, linkTarget: "m" },
      { path: "m", type: "hardlink", mode: 0o644, size: 0, linkTarget: "x" },
    ],
    /no file of the same tar/,
  ],
  [
    "a symlink to nowhere",
    [{ path: "l", type: "symlink", mode: 0o777, size: 0, linkTarget: "" }],
    /links to ""/,
  ],
  [
    "a symlink with a zero byte",
    [{ path: "l", type: "symlink", mode: 0o777, size: 0, linkTarget: "a\u0000b" }],
    /links to/,
  ],
  [
    "something below a file",
    [file("x", ""), file("x/y", "")],
    /"x\/y" .* below "x", which is no folder/,
  ],
  [
    "something below a symlink",
    [{ path: "x", type: "symlink", mode: 0o777, size: 0, linkTarget: "y" }, file("x/z/w", "")],
    /below "x"/,
  ],
  ["half a surrogate pair", [file("a\ud800", "")], /not a plain relative path/],
  ["a negative owner", [{ ...file("x", ""), uid: -1 }], /its uid is -1/],
  ["a size that is no number", [{ ...file("x", ""), size: Number.NaN }], /its size is NaN/],
  ["a device", [{ path: "null", type: "device", mode: 0o666, size: 0 }], /"null" is a device/],
];
for (const [what, entries, message] of UNWRITABLE) {
  test(`${what} is not written`, async () => {
    await assert.rejects(bytesOf(entries), { code: "FILE_REFUSED", message });
  });
}

test("a time that a tar cannot hold is refused, and one that it can is in every header", async () => {
  for (const mtimeS of [-1, 1.5, Number.NaN, 2 ** 33])
    await assert.rejects(bytesOf([file("x", "")], mtimeS), { code: "USAGE" });
  assert.equal(
    (await bytesOf([file("x", "")], 1_700_000_000)).subarray(136, 148).toString("latin1"),
    "14524770400\u0000",
  );
});

test("owners beyond what ustar holds go into PAX, and come back", async () => {
  const [entry] = await readEntries(
    await bytesOf([{ ...file("x", "1"), uid: 1_000_660_000, gid: 2_097_152 }]),
  );
  assert.deepEqual([entry?.uid, entry?.gid, entry?.text], [1_000_660_000, 2_097_152, "1"]);
});

test("the size of what has no content is zero, whatever the caller found on disk", async () => {
  const bytes = await bytesOf([{ ...folder("d"), size: 4096 }, file("d/x", "1")]);
  assert.deepEqual(
    (await readEntries(bytes)).map(({ path }) => path),
    ["d", "d/x"],
  );
  assert.equal(bytes.byteLength, 512 * 3 + 1024);
});

test("a name that a layer reads as a whiteout is written only where it is meant", async () => {
  for (const path of [".wh.x", "a/.wh..wh..opq", ".wh.d/file"]) {
    await assert.rejects(bytesOf([file(path, "")]), { code: "FILE_REFUSED", message: /removal/ });
    const written = await bytesOf([{ ...file(path, ""), isWhiteout: true }]);
    assert.deepEqual(
      (await readEntries(written)).map((entry) => entry.path),
      [path],
    );
  }
});

test("extended attributes of any bytes come back, and make the same bytes in any order", async () => {
  const xattrs = {
    "user.note": Buffer.from("a=b\n\0ü"),
    "security.capability": Buffer.from([1, 0, 0, 2, 0xff, 0xfe, 0, 0]),
  };
  const written = await bytesOf([{ ...file("bin/ping", "x", 0o755), xattrs }]);
  const [entry] = await readEntries(written);
  assert.deepEqual(
    Object.entries(entry?.xattrs ?? {}).map(([key, value]) => [key, Buffer.from(value)]),
    [
      ["security.capability", xattrs["security.capability"]],
      ["user.note", xattrs["user.note"]],
    ],
  );
  const reversed = Object.fromEntries(Object.entries(xattrs).reverse());
  assert.deepEqual(await bytesOf([{ ...file("bin/ping", "x", 0o755), xattrs: reversed }]), written);
});

test("a plan's size is that of the tar, and its segments give exactly the tar", async () => {
  const plan = planTar(mixed);
  const bytes = await bytesOf(mixed);
  assert.equal(plan.size, bytes.byteLength);
  const parts = plan.segments.map((segment) =>
    segment.kind === "bytes" ? segment.bytes : (segment.entry.content as Uint8Array),
  );
  assert.deepEqual(Buffer.concat(parts), bytes);
  assert.ok(
    plan.segments.every(
      (segment, index) => segment.kind === "content" || plan.segments[index + 1]?.kind !== "bytes",
    ),
    "literal bytes come in one piece",
  );
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
  [
    "a path that leaves the archive",
    (header) => header.write("a/../../b\u0000", 0),
    "ARCHIVE_INVALID",
  ],
  ["an unknown type", (header) => header.write("Z", 156), "ARCHIVE_INVALID"],
  [
    "a size that is no number",
    (header) => header.write("9x999999999\u0000", 124),
    "ARCHIVE_INVALID",
  ],
  ["a size beyond the end", (header) => header.write("00000777777\u0000", 124), "ARCHIVE_INVALID"],
  ["content of a folder", (header) => header.write("victim/\u0000", 0), "ARCHIVE_INVALID"],
  ["the root as a file", (header) => header.write("./.\u0000\u0000\u0000", 0), "ARCHIVE_INVALID"],
  ["a sparse file", (header) => header.write("S", 156), "ARCHIVE_INVALID"],
  ["a name of nothing", (header) => header.fill(0, 0, 100), "ARCHIVE_INVALID"],
  ["a negative base-256 size", (header) => header.fill(0xff, 124, 136), "ARCHIVE_INVALID"],
  [
    "a size beyond every limit",
    (header) => header.set([0x80, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0], 124),
    "LIMIT_EXCEEDED",
  ],
];
for (const [name, change, code] of hostile) {
  test(`reading refuses ${name}`, async () => {
    await assert.rejects(readEntries(forged(await bytesOf([file("victim", "x")]), change)), {
      code,
    });
  });
}

test("reading refuses a wrong checksum", async () => {
  const bytes = await bytesOf([file("victim", "x")]);
  bytes[0] = 0x41;
  await assert.rejects(readEntries(bytes), { code: "ARCHIVE_INVALID", message: /checksum/ });
});

test("devices are surfaced as such, and hard links out of the archive refused", async () => {
  const device = forged(await bytesOf([file("null", "")]), (header) => header.write("3", 156));
  assert.equal((await readEntries(device))[0]?.type, "device");
  const link = forged(await bytesOf([file("l", "")]), (header) => {
    header.write("1", 156);
    header.write("../../etc/shadow\u0000", 157);
  });
  await assert.rejects(readEntries(link), { code: "ARCHIVE_INVALID" });
});

test("a path that comes twice is refused when asked", async () => {
  const one = await bytesOf([file("a", "1")]);
  const twice = Buffer.concat([one.subarray(0, 1024), one]);
  assert.equal((await readEntries(twice)).length, 2);
  await assert.rejects(Array.fromAsync(readTar(chunked(twice, 512), { refuseDuplicates: true })), {
    code: "ARCHIVE_INVALID",
  });
});

test("the number of entries and of bytes is bounded", async () => {
  const bytes = await bytesOf([file("a", "1"), file("b", "22")]);
  await assert.rejects(Array.fromAsync(readTar(chunked(bytes, 512), { maxEntries: 1 })), {
    code: "LIMIT_EXCEEDED",
  });
  await assert.rejects(Array.fromAsync(readTar(chunked(bytes, 512), { maxBytes: 2 })), {
    code: "LIMIT_EXCEEDED",
  });
});

/** A tar of raw entries, whose checksums are right and nothing else need be. */
function raw(...entries: readonly (readonly [name: string, entry: TinyEntry])[]): Buffer {
  return Buffer.concat([
    ...entries.map(([name, entry]) => entryOf(name, entry)),
    Buffer.alloc(1024),
  ]);
}

const RAW_HOSTILE: readonly (readonly [string, Buffer, string, RegExp])[] = [
  [
    "extension headers without end",
    raw(
      ...Array.from({ length: 20 }, () => ["x", { type: "x", content: "12 path=abc\n" }] as const),
    ),
    "ARCHIVE_INVALID",
    /more than 16 extension headers/,
  ],
  [
    "an extension header of gigabytes",
    raw(["x", { type: "x", size: 2 ** 31 }]),
    "LIMIT_EXCEEDED",
    /extension header is 2147483648 bytes/,
  ],
  [
    "a GNU long name of gigabytes",
    raw(["x", { type: "L", size: 2 ** 31 }]),
    "LIMIT_EXCEEDED",
    /extension header/,
  ],
  [
    "a global header that names every entry",
    raw(["x", { type: "g", content: "12 path=abc\n" }], ["y", {}]),
    "ARCHIVE_INVALID",
    /global header/,
  ],
  [
    "a PAX record whose length lies",
    raw(["x", { type: "x", content: "99 path=abc\n" }], ["y", {}]),
    "ARCHIVE_INVALID",
    /wrong length/,
  ],
  [
    "a PAX record of length zero",
    raw(["x", { type: "x", content: "0 path=abc\n" }], ["y", {}]),
    "ARCHIVE_INVALID",
    /wrong length/,
  ],
  [
    "a PAX record without a key",
    raw(["x", { type: "x", content: "8 =abcd\n" }], ["y", {}]),
    "ARCHIVE_INVALID",
    /no key/,
  ],
  [
    "a PAX size that is no number",
    raw(["x", { type: "x", content: "12 size=-10\n" }], ["y", {}]),
    "ARCHIVE_INVALID",
    /PAX size/,
  ],
  [
    "a PAX size beyond every limit",
    raw(["x", { type: "x", content: "25 size=9000000000000000\n" }], ["y", {}]),
    "LIMIT_EXCEEDED",
    /takes it over/,
  ],
  [
    "a PAX path that leaves the archive",
    raw(["x", { type: "x", content: "16 path=../../x\n" }], ["y", {}]),
    "ARCHIVE_INVALID",
    /leaves the archive/,
  ],
  [
    "a PAX path with a zero byte",
    raw(["x", { type: "x", content: "12 path=a\u0000b\n" }], ["y", {}]),
    "ARCHIVE_INVALID",
    /is no path/,
  ],
  [
    "a sparse file in PAX",
    raw(["x", { type: "x", content: "22 GNU.sparse.major=1\n" }], ["y", {}]),
    "ARCHIVE_INVALID",
    /sparse/,
  ],
  [
    "a path of megabytes",
    raw(["x", { type: "L", content: `${"a/".repeat(3000)}\u0000` }], ["y", {}]),
    "LIMIT_EXCEEDED",
    /a path of 6000 bytes/,
  ],
  [
    "a hard link to an absolute path",
    raw(["l", { type: "1", link: "/etc/shadow" }]),
    "ARCHIVE_INVALID",
    /"\/etc\/shadow" is absolute/,
  ],
  [
    "extension headers and then the end",
    raw(["x", { type: "L", content: "name\u0000" }]),
    "ARCHIVE_INVALID",
    /ends after an extension header/,
  ],
  [
    "a header cut short",
    entryOf("a", {}).subarray(0, 300),
    "ARCHIVE_INVALID",
    /ends 212 bytes too early/,
  ],
  ["something that is no tar", Buffer.from("hello".repeat(300)), "ARCHIVE_INVALID", /checksum/],
];
for (const [what, bytes, code, message] of RAW_HOSTILE) {
  test(`reading refuses ${what}`, async () => {
    await assert.rejects(readEntries(bytes), { code, message });
  });
}

test("symlinks out of the tree are handed out as written, for the caller to judge", async () => {
  const [entry] = await readEntries(raw(["l", { type: "2", link: "../../etc/passwd" }]));
  assert.deepEqual([entry?.type, entry?.linkTarget], ["symlink", "../../etc/passwd"]);
});

test("GNU's long names and targets, and old tars without a magic, are read", async () => {
  const name = "n".repeat(300);
  const [link] = await readEntries(
    raw(
      ["long", { type: "L", content: `${name}\u0000` }],
      ["target", { type: "K", content: `${name}t\u0000` }],
      ["cut", { type: "2", link: "cut" }],
    ),
  );
  assert.deepEqual([link?.path, link?.linkTarget], [name, `${name}t`]);
  const old = forged(entryOf("old/", {}), (header) => header.fill(0, 257, 512).fill(0, 156, 157));
  assert.deepEqual(
    (await readEntries(old)).map(({ path, type }) => [path, type]),
    [["old", "directory"]],
  );
});

test("a base-256 size is read", async () => {
  const tar = forged(
    Buffer.concat([entryOf("big", { content: "x".repeat(600) }), Buffer.alloc(1024)]),
    (header) => header.set([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x58], 124),
  );
  assert.equal((await readEntries(tar))[0]?.size, 600);
});

test("leaving early closes the source", async () => {
  let isClosed = false;
  const bytes = await bytesOf([file("a", "1"), file("b", "2")]);
  const source = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* chunked(bytes, 100);
    } finally {
      isClosed = true;
    }
  };
  for await (const { entry } of readTar(source())) {
    assert.equal(entry.path, "a");
    break;
  }
  assert.equal(isClosed, true);
});

test("an abort ends reading and writing with its reason", async () => {
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  await assert.rejects(
    Array.fromAsync(readTar(chunked(await bytesOf(mixed), 100), { signal })),
    (error: unknown) => error === reason,
  );
  await assert.rejects(
    Array.fromAsync(writeTar(mixed, { signal })),
    (error: unknown) => error === reason,
  );
});
