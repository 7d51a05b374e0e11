import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readerOf } from "../bytes/index.ts";
import { WireError, WireFile, WireReader, WireWriter, type WireField } from "./index.ts";

/** Reads everything there is, up to a depth, every way there is. */
function walk(file: WireFile, fields: Iterable<WireField>, depth: number): void {
  for (const field of fields) {
    for (const read of [
      () => file.text(field, 1000),
      () => file.int(field),
      () => file.float(field),
      () => file.ints(field, 20),
      () => file.bytes(field, 1000),
      () => (depth < 5 ? walk(file, file.inside(field), depth + 1) : undefined),
    ])
      orWireError(read);
  }
}

function orWireError(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
}

test("whatever the bytes are, both readers read them or throw a WireError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const file = new WireFile(readerOf(bytes));
      orWireError(() => walk(file, file.fields(), 0));
      orWireError(() => {
        const reader = new WireReader(Buffer.from(bytes));
        for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) reader.skip(tag);
      });
    }),
    { numRuns: 3000 },
  );
});

test("both readers agree on what the writer wrote", () => {
  const field = fc.oneof(
    fc.record({
      kind: fc.constant("int" as const),
      value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    }),
    fc.record({ kind: fc.constant("double" as const), value: fc.double() }),
    fc.record({ kind: fc.constant("float" as const), value: fc.float() }),
    fc.record({ kind: fc.constant("text" as const), value: fc.string({ unit: "grapheme" }) }),
  );
  fc.assert(
    fc.property(fc.array(field, { maxLength: 20 }), fc.nat(40), (fields, expected) => {
      const writer = new WireWriter(expected);
      const inner = writer.size;
      for (const { kind, value } of fields.toReversed()) {
        if (kind === "int") writer.int(800, value);
        else if (kind === "double") writer.double(801, value);
        else if (kind === "float") writer.float(805, value);
        else writer.string(802, value);
      }
      writer.close(10, inner);
      const bytes = writer.finish();
      const file = new WireFile(readerOf(bytes));
      const found = [...file.fields()].flatMap((outer) =>
        [...file.inside(outer)].map((part) => {
          if (part.wireType === 0) return file.int(part);
          return part.wireType === 2 ? file.text(part) : file.float(part);
        }),
      );
      assert.deepEqual(
        found,
        fields.map(({ value }) => value),
      );
      const reader = new WireReader(bytes);
      assert.equal(reader.tag(), 10);
      reader.enter();
      for (const { kind, value } of fields) {
        reader.tag();
        if (kind === "int") assert.equal(reader.int64(), value);
        else if (kind === "double") assert.ok(Object.is(reader.double(), value));
        else if (kind === "float") assert.ok(Object.is(reader.float(), value));
        else assert.equal(reader.string(), value);
      }
      assert.equal(reader.tag(), 0);
    }),
  );
});

test("content that nobody asks for is not read, however large it says it is", () => {
  const size = 3 * 2 ** 30;
  const head = new WireWriter();
  head.varint(size);
  head.varint(10);
  const before = head.finish();
  const after = new WireWriter();
  after.string(18, "the name");
  const tail = after.finish();
  const tailAt = before.byteLength + size;
  let bytesRead = 0;
  const file = new WireFile({
    size: tailAt + tail.byteLength,
    at: (offset, length) => {
      bytesRead += length;
      return offset < tailAt
        ? before.subarray(offset, offset + length)
        : tail.subarray(offset - tailAt, offset - tailAt + length);
    },
    [Symbol.dispose]: () => undefined,
  });
  const [weights, name] = [...file.fields()];
  assert.deepEqual([weights?.start, weights?.end], [before.byteLength, tailAt]);
  assert.ok(name !== undefined && file.text(name) === "the name");
  assert.ok(bytesRead < 100, `${bytesRead} bytes were read`);
});

test("limits hold: fields in all, text, bytes and packed numbers", () => {
  const writer = new WireWriter();
  for (let count = 0; count < 11; count += 1) writer.int(8, 1);
  const bytes = writer.finish();
  const refused = (read: () => unknown, why: RegExp): void =>
    assert.throws(read, (error) => error instanceof WireError && why.test(error.why));
  const few = new WireFile(readerOf(bytes), { maxFields: 10 });
  refused(() => [...few.fields()], /more than 10 parts/);
  const packed = new WireWriter();
  packed.bytes(10, Buffer.alloc(5, 1));
  const file = new WireFile(readerOf(packed.finish()));
  const [field] = [...file.fields()];
  assert.ok(field !== undefined);
  assert.deepEqual(file.ints(field, 5), [1n, 1n, 1n, 1n, 1n]);
  refused(() => file.ints(field, 4), /more than 4 numbers/);
  refused(() => file.text(field, 4), /text of 5 bytes/);
  refused(() => file.bytes(field, 4), /bytes of 5 bytes/);
  refused(() => file.int(field), /should be a number/);
});

test("a number of more than ten bytes is refused, however it is read", () => {
  const endless = Buffer.alloc(11, 0x80);
  assert.throws(() => new WireReader(endless).int32(), WireError);
  assert.throws(() => new WireReader(endless).int64(), WireError);
});
