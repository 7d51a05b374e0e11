import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { crc32c, maskCrc32c } from "../../ground/bytes/index.ts";
import { createEventReader } from "./index.ts";

const bytes = (id: number, content: Uint8Array): Buffer =>
  Buffer.concat([varint(id * 8 + 2), varint(content.byteLength), content]);

function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  return Buffer.from([...out, rest]);
}

function float(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeFloatLE(value);
  return buffer;
}

function record(data: Buffer): Buffer {
  const [head, sums] = [Buffer.alloc(8), [Buffer.alloc(4), Buffer.alloc(4)] as const];
  head.writeBigUInt64LE(BigInt(data.length));
  sums[0].writeUInt32LE(maskCrc32c(crc32c(head)));
  sums[1].writeUInt32LE(maskCrc32c(crc32c(data)));
  return Buffer.concat([head, sums[0], data, sums[1]]);
}

const eventOf = (step: number, value: Buffer): Buffer =>
  record(
    Buffer.concat([
      Buffer.from([0x09]),
      Buffer.alloc(8),
      varint(2 * 8),
      varint(step),
      bytes(5, bytes(1, value)),
    ]),
  );
const simple = (tag: string, value: number): Buffer =>
  Buffer.concat([bytes(1, Buffer.from(tag)), Buffer.from([2 * 8 + 5]), float(value)]);
const tensor = (tag: string, value: number): Buffer =>
  Buffer.concat([
    bytes(1, Buffer.from(tag)),
    bytes(8, Buffer.concat([Buffer.from([8, 1]), bytes(4, float(value))])),
  ]);

test("the checksum is the one of its standard", () => {
  assert.equal(crc32c(Buffer.from("123456789")), 0xe3069283);
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
});

test("scalars of both generations are read, however the file grows", () => {
  const file = Buffer.concat([
    record(bytes(3, Buffer.from("brain.Event:2"))),
    eventOf(10, simple("loss", 0.5)),
    eventOf(300, tensor("val/acc", 0.75)),
  ]);
  for (const size of [1, 7, 64, file.length]) {
    const reader = createEventReader();
    const points = Array.from({ length: Math.ceil(file.length / size) }, (_, index) =>
      reader.push(file.subarray(index * size, (index + 1) * size)),
    ).flat();
    assert.deepEqual(points, [
      { name: "loss", step: 10, value: 0.5 },
      { name: "val/acc", step: 300, value: 0.75 },
    ]);
    assert.equal(reader.isDamaged, false);
  }
});

test("a tensor that says its value twice is read once, and what follows it too", () => {
  const twice = Buffer.concat([
    bytes(1, Buffer.from("loss")),
    bytes(8, Buffer.concat([Buffer.from([8, 1]), bytes(4, float(2)), bytes(5, float(3))])),
  ]);
  const reader = createEventReader();
  const points = reader.push(Buffer.concat([eventOf(1, twice), eventOf(2, simple("loss", 1))]));
  assert.deepEqual(points, [
    { name: "loss", step: 1, value: 2 },
    { name: "loss", step: 2, value: 1 },
  ]);
});

test("a record that is no event is damage", () => {
  const reader = createEventReader();
  assert.deepEqual(reader.push(record(Buffer.from([0xff, 0xff]))), []);
  assert.equal(reader.isDamaged, true);
});

test("a damaged record ends the reading, and what came before counts", () => {
  const file = Buffer.concat([eventOf(1, simple("loss", 2)), eventOf(2, simple("loss", 1))]);
  file[file.length - 6] = (file[file.length - 6] ?? 0) ^ 1;
  const reader = createEventReader();
  assert.deepEqual(reader.push(file), [{ name: "loss", step: 1, value: 2 }]);
  assert.equal(reader.isDamaged, true);
  assert.deepEqual(reader.push(eventOf(3, simple("loss", 1))), []);
});

test("whatever bytes come, nothing is thrown", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (content, isFramed) => {
      const reader = createEventReader();
      for (const { value } of reader.push(isFramed ? record(Buffer.from(content)) : content))
        assert.ok(Number.isFinite(value));
    }),
    { numRuns: 500 },
  );
});
