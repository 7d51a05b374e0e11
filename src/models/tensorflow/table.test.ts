import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { crc32c, maskCrc32c } from "../../ground/bytes/index.ts";
import { memorySource } from "./byte-source.ts";
import { FormatError } from "./invalid-file.ts";
import { inflateSnappy } from "./snappy.ts";
import { readTable } from "./table.ts";

interface Row {
  readonly key: Buffer;
  readonly value: Buffer;
}

interface Form {
  /** Rows per block. */
  readonly rows: number;
  /** Keys between restart points. */
  readonly interval: number;
  readonly isCompressed: boolean;
}

/** Writes a table as LevelDB does. */
function writeTable(rows: readonly Row[], form: Form): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  const put = (content: Buffer): Buffer => {
    const stored = form.isCompressed ? literalSnappy(content) : content;
    const trailer = Buffer.alloc(5);
    trailer[0] = form.isCompressed ? 1 : 0;
    trailer.writeUInt32LE(maskCrc32c(crc32c(trailer.subarray(0, 1), crc32c(stored))), 1);
    parts.push(stored, trailer);
    const handle = Buffer.concat([varint(at), varint(stored.byteLength)]);
    at += stored.byteLength + 5;
    return handle;
  };
  const index: Row[] = [];
  for (let start = 0; start < rows.length; start += form.rows) {
    const own = rows.slice(start, start + form.rows);
    index.push({ key: own.at(-1)!.key, value: put(block(own, form.interval)) });
  }
  const meta = put(block([], 1));
  const footer = Buffer.alloc(48);
  Buffer.concat([meta, put(block(index, 1))]).copy(footer);
  footer.writeBigUInt64LE(0xdb4775248b80fb57n, 40);
  return Buffer.concat([...parts, footer]);
}

function block(rows: readonly Row[], interval: number): Buffer {
  const parts: Buffer[] = [];
  const restarts = [0];
  let size = 0;
  for (const [at, { key, value }] of rows.entries()) {
    if (at > 0 && at % interval === 0) restarts.push(size);
    const before = at % interval === 0 ? Buffer.alloc(0) : rows[at - 1]!.key;
    let shared = 0;
    while (shared < Math.min(before.length, key.length) && before[shared] === key[shared])
      shared += 1;
    const row = Buffer.concat([
      varint(shared),
      varint(key.length - shared),
      varint(value.length),
      key.subarray(shared),
      value,
    ]);
    size += row.byteLength;
    parts.push(row);
  }
  const tail = Buffer.alloc(4 * restarts.length + 4);
  for (const [at, restart] of [...restarts, restarts.length].entries())
    tail.writeUInt32LE(restart, 4 * at);
  return Buffer.concat([...parts, tail]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/** A Snappy stream that copies nothing. */
function literalSnappy(content: Buffer): Buffer {
  const parts = [varint(content.byteLength)];
  for (let at = 0; at < content.byteLength; at += 60) {
    const piece = content.subarray(at, at + 60);
    parts.push(Buffer.of((piece.byteLength - 1) << 2), piece);
  }
  return Buffer.concat(parts);
}

function read(bytes: Buffer): readonly Row[] {
  const source = memorySource(bytes, "t");
  return [...readTable(source)].map(({ key, value }) => ({
    key,
    value: value.source.read(value.offset, value.size),
  }));
}

const sortedRows = fc
  .uniqueArray(fc.uint8Array({ minLength: 1, maxLength: 12 }), {
    maxLength: 40,
    selector: (key) => Buffer.from(key).toString("hex"),
  })
  .map((keys) =>
    keys
      .map((key) => Buffer.from(key))
      .sort((one, other) => Buffer.compare(one, other))
      .map((key, at): Row => ({ key, value: Buffer.alloc(at * 3, at) })),
  );
const forms = fc.record({
  rows: fc.integer({ min: 1, max: 50 }),
  interval: fc.integer({ min: 1, max: 20 }),
  isCompressed: fc.boolean(),
});

test("what was written is read, whatever the blocks and restart points", () =>
  fc.assert(
    fc.property(sortedRows, forms, (rows, form) => {
      assert.deepEqual(read(writeTable(rows, form)), rows);
    }),
    { numRuns: 200 },
  ));

test("a table with a changed byte is refused by its checksums, or the byte does not matter", () =>
  fc.assert(
    fc.property(
      sortedRows,
      forms,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (rows, form, at, by) => {
        const bytes = writeTable(rows, form);
        const place = at % bytes.byteLength;
        bytes[place] = (bytes[place] ?? 0) ^ by;
        try {
          assert.deepEqual(read(bytes), rows);
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      },
    ),
    { numRuns: 500 },
  ));

test("content that passes its checksum and makes no sense is refused", () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (content) => {
      // The bytes take the place of a block's rows; checksum and footer are right.
      const trailer = Buffer.alloc(5);
      trailer.writeUInt32LE(maskCrc32c(crc32c(trailer.subarray(0, 1), crc32c(content))), 1);
      const footer = Buffer.alloc(48);
      Buffer.concat([
        varint(0),
        varint(content.byteLength),
        varint(0),
        varint(content.byteLength),
      ]).copy(footer);
      footer.writeBigUInt64LE(0xdb4775248b80fb57n, 40);
      try {
        read(Buffer.concat([content, trailer, footer]));
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    }),
    { numRuns: 1000 },
  ));

test("keys out of order, and a table that is too short, are refused", () => {
  const rows = ["b", "a"].map((key) => ({ key: Buffer.from(key), value: Buffer.alloc(0) }));
  const form = { rows: 5, interval: 1, isCompressed: false };
  assert.throws(() => read(writeTable(rows, form)), /not in order/);
  assert.throws(() => read(Buffer.alloc(10)), /too few/);
  assert.throws(() => read(Buffer.alloc(60)), /magic number/);
});

test("Snappy: literals and copies that overlap", () => {
  // "abcd", then four and a half copies of it, from google/snappy's description of the format.
  const stream = Buffer.from([22, 0x0c, ...Buffer.from("abcd"), (17 << 2) | 2, 4, 0]);
  assert.equal(inflateSnappy(stream).toString(), "abcdabcdabcdabcdabcdab");
});

test("Snappy: any bytes give bytes or an error, and never more memory than they are worth", () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      try {
        assert.ok(inflateSnappy(bytes).byteLength <= bytes.byteLength * 22 + 64);
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    }),
    { numRuns: 2000 },
  ));
