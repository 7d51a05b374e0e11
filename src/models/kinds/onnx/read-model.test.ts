import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { readerOf } from "../../../ground/bytes/index.ts";
import { isToolError } from "../../../ground/errors/index.ts";
import { readOnnx } from "./read-model.ts";

const EXAMPLE = readFileSync(
  resolve(import.meta.dirname, "../../../../test/fixtures/onnx/digits.onnx"),
);

/** A protobuf field: a number, or bytes with their length. */
function field(number: number, value: number | string | Uint8Array): Buffer {
  if (typeof value === "number") return Buffer.concat([varint(number * 8), varint(value)]);
  const bytes = Buffer.from(value as Uint8Array);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.byteLength), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left % 128) | 128);
  }
}

const message = (...fields: readonly Buffer[]): Buffer => Buffer.concat(fields);
const axis = (size: number | string): Buffer =>
  field(1, typeof size === "number" ? field(1, size) : field(2, size));
const tensor = (name: string, element: number, shape?: readonly (number | string)[]): Buffer =>
  message(
    field(1, name),
    field(
      2,
      field(
        1,
        message(
          field(1, element),
          ...(shape === undefined ? [] : [field(2, message(...shape.map(axis)))]),
        ),
      ),
    ),
  );
const model = (graph: Buffer, ir = 8): Buffer =>
  message(field(1, ir), field(8, field(2, 17)), field(7, graph));
const read = (bytes: Uint8Array): ReturnType<typeof readOnnx> =>
  readOnnx(readerOf(bytes), "m.onnx");

test("a real model tells its inputs and outputs", () => {
  const { signature, irVersion, opset, producer, warnings } = read(EXAMPLE);
  assert.deepEqual(signature.inputs, [{ name: "X", datatype: "FP32", shape: [-1, 64] }]);
  assert.ok(signature.outputs.length >= 1);
  assert.ok(irVersion > 0 && opset !== undefined);
  assert.equal(producer, "skl2onnx");
  assert.deepEqual(warnings, []);
});

test("named axes are of any length, and weights are no inputs", () => {
  const graph = message(
    field(5, field(8, "w")),
    field(11, tensor("x", 1, ["N", 3])),
    field(11, tensor("w", 1, [3])),
    field(12, tensor("y", 7, ["N"])),
  );
  assert.deepEqual(read(model(graph, 3)).signature, {
    inputs: [{ name: "x", datatype: "FP32", shape: [-1, 3] }],
    outputs: [{ name: "y", datatype: "INT64", shape: [-1] }],
  });
});

test("an output that no request can carry is left out, and the way around is said", () => {
  const sequence = message(
    field(1, "probabilities"),
    field(2, field(4, field(1, Buffer.alloc(0)))),
  );
  const { signature, warnings } = read(
    model(
      message(
        field(11, tensor("x", 1, [1])),
        field(12, tensor("label", 7, [1])),
        field(12, sequence),
      ),
    ),
  );
  assert.deepEqual(
    signature.outputs.map(({ name }) => name),
    ["label"],
  );
  assert.match(
    warnings[0] ?? "",
    /output "probabilities" is a sequence, which requests cannot carry; export with options=\{"zipmap": False\}/,
  );
});

test("files with weights beside the model are named, with the bytes each must have", () => {
  const entry = (key: string, value: string): Buffer =>
    field(13, message(field(1, key), field(2, value)));
  const weight = message(
    field(8, "w"),
    field(14, 1),
    entry("location", "weights/m.data"),
    entry("offset", "4096"),
    entry("length", "100"),
  );
  const { external } = read(
    model(
      message(field(5, weight), field(11, tensor("x", 1, [1])), field(12, tensor("y", 1, [1]))),
    ),
  );
  assert.deepEqual([...external], [["weights/m.data", 4196]]);
});

const REFUSED: readonly (readonly [string, Buffer, RegExp])[] = [
  ["nothing", Buffer.alloc(0), /it has no IR version/],
  ["text", Buffer.from("this is a text, and no model"), /is not an ONNX model/],
  ["no graph", field(1, 8), /it has no graph/],
  [
    "a graph without outputs",
    model(message(field(11, tensor("x", 1, [1])))),
    /its graph has no outputs/,
  ],
  [
    "the beginning of a model",
    EXAMPLE.subarray(0, 5000),
    /is not an ONNX model: field \d+ is \d+ bytes long, and \d+ are left/,
  ],
  [
    "weights outside the folder",
    model(
      message(
        field(
          5,
          message(
            field(8, "w"),
            field(14, 1),
            field(13, message(field(1, "location"), field(2, "../../etc/passwd"))),
          ),
        ),
        field(12, tensor("y", 1, [1])),
      ),
    ),
    /lies in "\.\.\/\.\.\/etc\/passwd", which is no path inside the model's folder/,
  ],
];

for (const [what, bytes, pattern] of REFUSED) {
  test(`refused by name: ${what}`, () =>
    assert.throws(() => read(bytes), { code: "MODEL_FILE_INVALID", message: pattern }));
}

test("a model with any bytes changed is read or refused", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: 2000 }), fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
        maxLength: 8,
      }),
      (changes) => {
        const changed = Buffer.from(EXAMPLE);
        for (const [at, byte] of changes) changed[at] = byte;
        try {
          read(changed);
        } catch (error) {
          assert.ok(isToolError(error) && error.code === "MODEL_FILE_INVALID", String(error));
        }
      },
    ),
    { numRuns: 300 },
  );
});
