import assert from "node:assert/strict";
import { test } from "node:test";
import {
  byteItems,
  elementsOf,
  type Datatype,
  type Signature,
} from "../../../models/tensor/index.ts";
import type { NamedTensor } from "../../plane/index.ts";
import { JsonReader } from "../json/index.ts";
import { classify } from "./classify.ts";
import type { InferCall } from "./infer-call.ts";
import { readInferJson } from "./read-infer-json.ts";
import { readRawTensor } from "./read-raw-tensor.ts";
import { writeInferJson } from "./write-infer-json.ts";

function read(value: unknown, ...blobs: readonly Uint8Array[]): InferCall {
  const json = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
  return readInferJson(new JsonReader(), Buffer.concat([json, ...blobs]), json.byteLength);
}

function readTensor(datatype: string, shape: readonly unknown[], data: string): NamedTensor {
  const [tensor] = read(
    `{"inputs":[{"name":"x","shape":${JSON.stringify(shape)},"datatype":"${datatype}","data":${data}}]}`,
  ).inputs;
  assert.ok(tensor !== undefined);
  return tensor;
}

function numbers(tensor: NamedTensor): readonly (number | bigint)[] {
  return [...elementsOf(tensor)];
}

test("data is read flat and nested, wherever it stands in its input", () => {
  assert.deepEqual(numbers(readTensor("INT32", [2, 2], "[1,2,3,4]")), [1, 2, 3, 4]);
  assert.deepEqual(numbers(readTensor("INT32", [2, 2], "[[1,2],[3,4]]")), [1, 2, 3, 4]);
  const [early] = read(
    '{"inputs":[{"data":[[5],[6]],"datatype":"UINT8","shape":[2,1],"name":"x"}]}',
  ).inputs;
  assert.deepEqual(early && numbers(early), [5, 6]);
  assert.deepEqual(numbers(readTensor("FP32", [0, 4], "[]")), []);
  assert.deepEqual(numbers(readTensor("FP64", [2, 0], "[[],[]]")), []);
  assert.deepEqual(numbers(readTensor("BOOL", [2], "[true,false]")), [1, 0]);
  const texts = byteItems(readTensor("BYTES", [2], '["ä",""]').data);
  assert.deepEqual(
    texts.map((text) => Buffer.from(text).toString()),
    ["ä", ""],
  );
});

test("integers keep all of their digits up to the limits of their datatype, and no further", () => {
  const limits: readonly (readonly [Datatype, string, string])[] = [
    ["INT8", "-128", "127"],
    ["INT16", "-32768", "32767"],
    ["INT32", "-2147483648", "2147483647"],
    ["INT64", "-9223372036854775808", "9223372036854775807"],
    ["UINT8", "0", "255"],
    ["UINT16", "0", "65535"],
    ["UINT32", "0", "4294967295"],
    ["UINT64", "0", "18446744073709551615"],
  ];
  for (const [datatype, low, high] of limits) {
    assert.deepEqual(numbers(readTensor(datatype, [2], `[${low},${high}]`)).map(String), [
      low,
      high,
    ]);
    for (const beyond of [BigInt(low) - 1n, BigInt(high) + 1n])
      assert.throws(() => readTensor(datatype, [1], `[${beyond}]`), {
        code: "TENSOR_INVALID",
        message: new RegExp(`"x": element 0 is ${beyond}, which is no ${datatype}`),
      });
  }
});

test("what does not fit is refused with the tensor's name, what came and what is wanted", () => {
  const refusals: readonly (readonly [string, readonly unknown[], string, RegExp])[] = [
    ["INT32", [1], "[1.5]", /element 0 is 1.5, which is no INT32/],
    ["INT32", [1], "[true]", /element 0 is true, which is no INT32/],
    ["INT64", [1], '["1"]', /element 0 is "1", which is no INT64/],
    ["INT64", [1], `[${"1".repeat(4000)}]`, /which is no INT64/],
    ["INT64", [1], `[${"1".repeat(100_000)}]`, /more than 4300 digits/],
    ["BOOL", [1], "[0]", /element 0 is 0, which is no BOOL/],
    ["FP32", [1], "[null]", /element 0 is null, which is no FP32/],
    ["FP32", [1], "[1e39]", /element 0 is 1e39, which is no FP32/],
    ["FP64", [1], "[1e999]", /element 0 is 1e999, which is no FP64/],
    ["FP16", [1], "[1]", /FP16 cannot be sent in JSON/],
    ["BYTES", [1], "[1]", /element 0 is 1, which is no BYTES/],
    ["BYTES", [1], '["\\ud83d"]', /half a surrogate pair/],
    ["FP32", [2, 2], "[1,2,3]", /fewer values than the shape \(2,2\) says, which is 4/],
    ["FP32", [2, 2], "[1,2,3,4,5]", /more values/],
    ["FP32", [2, 2], "[[1,2,3],[4]]", /more values/],
    ["FP32", [2, 2], "[[1,2],3,4]", /shape \(2,2\) on axis 0/],
    ["FP32", [2, 2], "[1,2,[3,4]]", /element 2 is \[3,4\]/],
    ["FP32", [1e9, 4], "[1,2,3,4]", /fewer values/],
    ["FP32", [2 ** 40, 2 ** 40], "[1]", /too many elements/],
    ["FP32", [-1, 4], "[1,2,3,4]", /has the axis -1/],
    ["FP32", ["1"], "[1]", /an axis of a shape is no number/],
    ["FP32", [1.5], "[1]", /no whole number/],
    ["FLOAT", [1], "[1]", /its datatype is "FLOAT", which there is not/],
  ];
  for (const [datatype, shape, data, message] of refusals)
    assert.throws(
      () => readTensor(datatype, shape, data),
      { message },
      `${datatype} ${data.slice(0, 40)}`,
    );
});

const A = { name: "a", shape: [2], datatype: "INT16" } as const;

test("raw bytes follow the JSON in the order of their tensors, and have to fit exactly", () => {
  const blob = Uint8Array.of(1, 0, 2, 0);
  const input = { ...A, parameters: { binary_data_size: 4, layout: "row" } };
  const call = read({ inputs: [input] }, blob);
  assert.deepEqual(call.inputs[0]?.parameters, { layout: "row" });
  assert.deepEqual(call.inputs[0] && numbers(call.inputs[0]), [1, 2]);
  const refusals: readonly (readonly [unknown, readonly Uint8Array[], RegExp])[] = [
    [{ ...input, parameters: { binary_data_size: 3 } }, [blob], /takes 4 bytes, got 3/],
    [input, [blob, blob], /4 bytes follow the last tensor/],
    [input, [blob.subarray(2)], /binary_data_size is 4, and 2 bytes are left/],
    [{ ...input, data: [1, 2] }, [blob], /both data and binary_data_size/],
    [{ ...A, parameters: { binary_data_size: "4" } }, [blob], /binary_data_size is "4"/],
    [{ ...A, parameters: { binary_data_size: -4 } }, [blob], /binary_data_size is -4/],
    [A, [], /neither data nor binary_data_size/],
    [{ ...input, datatype: "BOOL", shape: [4] }, [blob], /a byte of BOOL is 0 or 1/],
    [
      { ...input, datatype: "BYTES", shape: [1] },
      [Uint8Array.of(9, 0, 0, 0)],
      /element 0 goes beyond the end/,
    ],
    [
      { ...input, datatype: "BYTES", shape: [2] },
      [Uint8Array.of(0, 0, 0, 0)],
      /hold 1 elements, and its shape has 2/,
    ],
  ];
  for (const [one, blobs, message] of refusals)
    assert.throws(() => read({ inputs: [one] }, ...blobs), { message }, String(message));
});

test("a request is read with its id, parameters and outputs; what is malformed is refused", () => {
  const inputs = [{ ...A, data: [1, 2] }];
  const call = read({
    id: "7",
    inputs,
    parameters: { k: 1, timeout: 2500, binary_data_output: true },
    outputs: [{ name: "y", parameters: { binary_data: false, classification: 2 } }, { name: "z" }],
  });
  assert.deepEqual(
    { ...call, inputs: [] },
    {
      ...{ inputs: [], id: "7", parameters: { k: 1 }, timeoutMs: 2.5, isBinaryOut: true },
      outputs: [
        { name: "y", isBinary: false, classes: 2 },
        { name: "z", isBinary: undefined, classes: 0 },
      ],
    },
  );
  assert.equal(
    read(
      `{"inputs":[],"parameters":null,"outputs":null,${JSON.stringify({ inputs }).slice(1)}`.replace(
        '"inputs":[],',
        "",
      ),
    ).outputs,
    undefined,
  );
  const big = read(`{"parameters":{"n":9007199254740993},${JSON.stringify({ inputs }).slice(1)}`);
  assert.deepEqual(big.parameters, { n: "9007199254740993" });
  const refusals: readonly (readonly [unknown, RegExp])[] = [
    ["", /no JSON/],
    ["[]", /no JSON object/],
    [{}, /it has no inputs/],
    [{ inputs: [] }, /it has no inputs/],
    [{ inputs: {} }, /inputs is no list/],
    [{ inputs, id: 42 }, /id is no text/],
    [{ inputs, parameters: { o: {} } }, /the parameter "o" is no text, number or boolean/],
    [{ inputs, parameters: { timeout: -1 } }, /timeout is -1/],
    [{ inputs, outputs: [{ name: "y" }, { name: "y" }] }, /the output "y" is asked for twice/],
    [
      { inputs, outputs: [{ name: "y", parameters: { classification: "2" } }] },
      /classification of the output "y"/,
    ],
    ['{"id":"a","id":"b","inputs":[]}', /has "id" twice/],
    [{ inputs: [{ ...A, name: undefined, data: [1, 2] }] }, /an input has no name/],
    [{ inputs: [{ ...A, shape: undefined, data: [1, 2] }] }, /"a": it has no shape/],
  ];
  for (const [value, message] of refusals)
    assert.throws(() => read(value), { message }, String(message));
});

test("a bare tensor takes its shape from the model's only input and its own length", () => {
  const of = (...shape: number[]): Signature => ({
    inputs: [{ name: "x", datatype: "FP32", shape }],
    outputs: [],
  });
  const shapeOf = (
    bytes: number,
    signature: Signature | undefined,
  ): readonly number[] | undefined =>
    readRawTensor(Buffer.alloc(bytes), signature).inputs[0]?.shape;
  assert.deepEqual(shapeOf(16, of(-1)), [4]);
  assert.deepEqual(shapeOf(12, of(-1, 3)), [1, 3]);
  assert.deepEqual(shapeOf(24, of(-1, -1, 3)), [1, 2, 3]);
  assert.throws(() => shapeOf(24, of(-1, 3)), /takes 12 bytes, got 24/);
  assert.throws(() => shapeOf(13, of(-1)), /no whole rows/);
  assert.throws(() => shapeOf(12, of(-1, -1, -1)), /leaves 2 axes open/);
  assert.throws(() => shapeOf(12, undefined), /does not say what it takes/);
  const text: Signature = { inputs: [{ name: "x", datatype: "BYTES", shape: [1] }], outputs: [] };
  const [item] = readRawTensor(Buffer.from("ab"), text).inputs;
  assert.deepEqual(item && byteItems(item.data).map((one) => Buffer.from(one).toString()), ["ab"]);
});

test("classes are the best scores of each row with index and label, ties by index", () => {
  const scores: NamedTensor = {
    ...{ name: "s", datatype: "FP32", shape: [2, 3] },
    data: new Uint8Array(Float32Array.of(0.25, 0.5, 0.125, 1, 1, 2).buffer),
  };
  const best = classify(scores, 2, ["cat", "dog"]);
  assert.deepEqual(best.shape, [2, 2]);
  assert.deepEqual(
    byteItems(best.data).map((one) => Buffer.from(one).toString()),
    ["0.500000:1:dog", "0.250000:0:cat", "2.000000:2", "1.000000:0:cat"],
  );
  assert.deepEqual(classify({ ...scores, shape: [6] }, 99).shape, [6]);
});

test("an answer is JSON with raw bytes behind it at a multiple of eight, or all JSON", () => {
  const tensor: NamedTensor = { ...A, data: Uint8Array.of(1, 0, 2, 0) };
  const answer = { model: "é", version: "1", id: "7", outputs: [{ tensor, isBinary: true }] };
  const { body, headerBytes = 0 } = writeInferJson(answer);
  assert.equal(headerBytes % 8, 0);
  assert.deepEqual(JSON.parse(body.subarray(0, headerBytes).toString()), {
    ...{ model_name: "é", model_version: "1", id: "7" },
    outputs: [{ ...A, parameters: { binary_data_size: 4 } }],
  });
  assert.deepEqual([...body.subarray(headerBytes)], [1, 0, 2, 0]);
  const whole = writeInferJson({ ...answer, outputs: [{ tensor, isBinary: false }] });
  assert.equal(whole.headerBytes, undefined);
  assert.deepEqual(JSON.parse(whole.body.toString()).outputs, [{ ...A, data: [1, 2] }]);
  for (const [datatype, data] of [
    ["FP16", Uint8Array.of(0, 0)],
    ["BYTES", Uint8Array.of(1, 0, 0, 0, 0xff)],
  ] as const)
    assert.throws(
      () =>
        writeInferJson({
          ...answer,
          outputs: [{ tensor: { name: "y", shape: [1], datatype, data }, isBinary: false }],
        }),
      { code: "REQUEST_INVALID", hint: /binary_data/ },
    );
});
