import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Datatype } from "../../../models/tensor/index.ts";
import type { ComponentRequest, Payload } from "../../plane/index.ts";
import { FrameError, FrameReader } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import { FRAME, HEADER_BYTES, METHODS } from "./wire.ts";

const text = fc.string({ unit: "grapheme", maxLength: 50 });
const bytes = fc.uint8Array({ maxLength: 200 });
const tensor = fc
  .tuple(fc.constantFrom<Datatype>("INT8", "BOOL"), fc.array(fc.nat(4), { maxLength: 4 }))
  .map(([datatype, shape]): Payload => {
    const data = new Uint8Array(shape.reduce((product, axis) => product * axis, 1));
    return { kind: "tensor", tensor: { name: "", datatype, shape, data } };
  });
const payload: fc.Arbitrary<Payload> = fc.oneof(
  tensor,
  text.map((value): Payload => ({ kind: "text", text: value })),
  fc.json().map((json): Payload => ({ kind: "json", json })),
  bytes.map((value): Payload => ({ kind: "bytes", bytes: value })),
);
const message = fc.record({ payload, names: fc.array(text, { maxLength: 3 }) });

function plain(value: Payload): unknown {
  if (value.kind === "tensor")
    return { ...value.tensor, data: Buffer.from(value.tensor.data).toString("hex") };
  return "bytes" in value
    ? { kind: value.kind, bytes: Buffer.from(value.bytes).toString("hex") }
    : value;
}

/** A response has the same message layout as a request with one message, so a request can be turned into one. */
function asResponse(frame: Buffer): Buffer {
  const copy = Buffer.from(frame);
  copy[8] = FRAME.response;
  copy[9] = 0;
  return copy;
}

test("what the writer writes the reader reads", () => {
  fc.assert(
    fc.property(message, fc.integer({ min: 1, max: 0xffff_ffff }), (given, id) => {
      const writer = new FrameWriter(undefined, 0);
      writer.request(id, { method: "predict", messages: [given] });
      const [frame] = [
        ...new FrameReader(undefined).frames(asResponse(Buffer.concat(writer.take()))),
      ];
      assert.ok(frame?.type === "response");
      assert.equal(frame.id, id);
      assert.deepEqual(plain(frame.response.message.payload), plain(given.payload));
      assert.deepEqual(frame.response.message.names, given.names);
    }),
  );
});

test("any bytes give frames or a FrameError, and never more than was sent", () => {
  const valid = fc.tuple(message, fc.constantFrom(...METHODS)).map(([given, method]) => {
    const writer = new FrameWriter(undefined, 0);
    const request: ComponentRequest = { method, messages: [given] };
    writer.request(1, request);
    return asResponse(Buffer.concat(writer.take()));
  });
  const changed = fc
    .tuple(valid, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
    .map(([frame, changes]) => {
      for (const [at, value] of changes) frame[at % frame.byteLength] = value;
      return frame;
    });
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          changed,
          bytes.map((value) => Buffer.from(value)),
        ),
        { maxLength: 5 },
      ),
      fc.integer({ min: 1, max: 100 }),
      (parts, size) => {
        const stream = Buffer.concat(parts);
        const reader = new FrameReader(undefined);
        let count = 0;
        try {
          for (let at = 0; at < stream.byteLength; at += size)
            for (const frame of reader.frames(stream.subarray(at, at + size)))
              count += frame.id >= 0 ? 1 : 0;
        } catch (error) {
          assert.ok(error instanceof FrameError, String(error));
        }
        assert.ok(count * HEADER_BYTES <= stream.byteLength);
      },
    ),
    { numRuns: 500 },
  );
});
