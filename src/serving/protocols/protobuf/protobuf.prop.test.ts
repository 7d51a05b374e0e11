import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isToolError } from "../../../ground/errors/index.ts";
import { WireReader, WireWriter } from "../../../ground/wire/index.ts";
import type { ComponentMethod } from "../../plane/index.ts";
import { JsonNumber, pythonFloat, type JsonNode } from "../json/index.ts";
import { DenseListReader } from "./dense-list.ts";
import { protoMetrics, SeldonProtoParser, writeSeldonMessage } from "./index.ts";
import { readList, readValue, writeList, writeValue } from "./value.ts";

const METHODS: readonly ComponentMethod[] = ["predict", "route", "aggregate", "send-feedback"];
const SETTINGS = { sortKeys: true, asciiOnly: true, isPretty: false, includeMetrics: true };

function tryParse(bytes: Buffer): void {
  const parser = new SeldonProtoParser();
  for (const method of METHODS) {
    for (const whole of [undefined, "proto", "json"] as const) {
      try {
        parser.parse(bytes, { method, whole, isStrict: whole === "proto", unitId: "0" });
      } catch (error) {
        if (!isToolError(error)) throw error;
      }
    }
  }
}

/** A valid message with a little of everything, to break bits of. */
function sampleMessage(): Buffer {
  const writer = new WireWriter();
  const data = writer.size;
  writeList(writer, [[1, 2].map(number), [3, 4].map(number)]);
  writer.close(26, data);
  writer.string(10, "a");
  writer.close(26, data);
  const meta = writer.size;
  writer.string(10, "puid");
  writer.close(18, meta);
  return writer.finish();
}

function number(value: number): JsonNode {
  return new JsonNumber(pythonFloat(value), true);
}

test("no bytes at all make the parser do worse than refuse", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => tryParse(Buffer.from(bytes))),
    { numRuns: 3000 },
  );
});

test("a message with broken bytes is read or refused", () => {
  const whole = sampleMessage();
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.byteLength - 1), fc.nat(255)), { maxLength: 6 }),
      fc.nat(whole.byteLength),
      (changes, size) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        tryParse(bytes.subarray(0, size));
        tryParse(bytes);
      },
    ),
    { numRuns: 2000 },
  );
});

test("fields written are the fields read, in their order", () => {
  const field = fc.oneof(
    fc.record({
      kind: fc.constant("int" as const),
      value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    }),
    fc.record({ kind: fc.constant("double" as const), value: fc.double() }),
    fc.record({ kind: fc.constant("text" as const), value: fc.string({ unit: "grapheme" }) }),
    fc.record({ kind: fc.constant("bytes" as const), value: fc.uint8Array({ maxLength: 300 }) }),
  );
  fc.assert(
    fc.property(fc.array(field, { maxLength: 20 }), fc.nat(40), (fields, expected) => {
      const writer = new WireWriter(expected);
      for (const { kind, value } of fields.toReversed()) {
        if (kind === "int") writer.int(800, value);
        else if (kind === "double") writer.double(801, value);
        else if (kind === "text") writer.string(802, value);
        else writer.bytes(810, value);
      }
      const reader = new WireReader(writer.finish());
      for (const { kind, value } of fields) {
        const tag = reader.tag();
        if (kind === "int") assert.deepEqual([tag, reader.int64()], [800, value]);
        else if (kind === "double") assert.ok(tag === 801 && Object.is(reader.double(), value));
        else if (kind === "text") assert.deepEqual([tag, reader.string()], [802, value]);
        else assert.deepEqual([tag, reader.bytes()], [810, Buffer.from(value)]);
      }
      assert.equal(reader.tag(), 0);
    }),
  );
});

const json: fc.Arbitrary<JsonNode> = fc.letrec<{ node: JsonNode }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5 },
    fc.constant(null),
    fc.boolean(),
    fc.string({ unit: "grapheme" }),
    fc.double({ noNaN: true }).map(number),
    fc.array(tie("node"), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.string(), tie("node")), { maxLength: 4 })
      .map((entries) => new Map(entries)),
  ),
})).node;

test("a Value that is written is the Value that is read", () => {
  fc.assert(
    fc.property(json, (node) => {
      const writer = new WireWriter();
      writeValue(writer, node);
      assert.deepEqual(readValue(new WireReader(writer.finish())), node);
    }),
  );
});

test("a list is dense exactly when it is a rectangle of numbers, or of booleans", () => {
  const leaf = fc.oneof(
    { weight: 20, arbitrary: fc.double() },
    { weight: 1, arbitrary: fc.boolean() },
    { weight: 1, arbitrary: fc.constant("x") },
  );
  const rows = fc.oneof(
    fc.array(leaf, { maxLength: 5 }),
    fc.array(fc.array(leaf, { minLength: 2, maxLength: 3 }), { maxLength: 4 }),
  );
  const dense = new DenseListReader();
  fc.assert(
    fc.property(rows, (list) => {
      const nodeOf = (item: unknown): JsonNode =>
        Array.isArray(item)
          ? item.map(nodeOf)
          : typeof item === "number"
            ? number(item)
            : (item as string | boolean);
      const writer = new WireWriter();
      writeList(writer, list.map(nodeOf));
      const bytes = writer.finish();
      const tensor = dense.read(new WireReader(bytes));
      const leaves = list.flat();
      const isRectangle =
        new Set(list.map((row) => (Array.isArray(row) ? row.length : -1))).size <= 1;
      const isOfOneType =
        leaves.every((item) => typeof item === "number") ||
        leaves.every((item) => typeof item === "boolean");
      assert.equal(tensor !== undefined, isRectangle && isOfOneType);
      if (tensor === undefined) return;
      const numbers =
        tensor.datatype === "FP64"
          ? [...new Float64Array(Uint8Array.from(tensor.data).buffer)]
          : [...tensor.data].map(Boolean);
      assert.deepEqual(numbers, leaves);
      assert.deepEqual(readList(new WireReader(bytes)).length, tensor.shape[0]);
    }),
  );
});

test("a tensor comes back as it went, with its names, meta and bytes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double(), { maxLength: 30 }),
      fc.constantFrom("tensor", "ndarray"),
      fc.string(),
      (values, dataKind, puid) => {
        const data = Buffer.from(Float64Array.from(values).buffer);
        const message = {
          payload: {
            kind: "tensor" as const,
            tensor: { name: "", datatype: "FP64" as const, shape: [values.length, 1], data },
          },
          names: ["a"],
        };
        const bytes = writeSeldonMessage(
          {
            method: "predict",
            response: { message, isRaw: false },
            context: { metas: [], dataKind, puid },
          },
          SETTINGS,
        );
        const { request, context } = new SeldonProtoParser().parse(bytes, {
          method: "predict",
          isStrict: false,
          unitId: "0",
        });
        const [first] = request.messages;
        assert.ok(first?.payload.kind === "tensor");
        assert.deepEqual(Buffer.from(first.payload.tensor.data), data);
        assert.deepEqual(
          first.payload.tensor.shape,
          values.length === 0 && dataKind === "ndarray" ? [0] : [values.length, 1],
        );
        assert.deepEqual(
          [first.names, context.dataKind, context.puid ?? ""],
          [["a"], dataKind, puid],
        );
        assert.deepEqual(protoMetrics({ kind: "proto", bytes }), []);
      },
    ),
  );
});

test("a message nested too deep is refused and not followed", () => {
  const writer = new WireWriter();
  for (let depth = 0; depth < 20_000; depth += 1) {
    writer.close(10, 0);
    writer.close(50, 0);
  }
  writer.close(50, 0);
  assert.throws(
    () =>
      new SeldonProtoParser().parse(writer.finish(), {
        method: "predict",
        isStrict: false,
        unitId: "0",
      }),
    /nested deeper/,
  );
});
