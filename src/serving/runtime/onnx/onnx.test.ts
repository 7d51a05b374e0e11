import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { ModelDescription } from "../../../models/description/index.ts";
import { elementsOf } from "../../../models/tensor/index.ts";
import {
  isRaw,
  type InferRequest,
  type InferResponse,
  type NamedTensor,
} from "../../plane/index.ts";
import { createOnnxPredictor } from "./index.ts";

const text = (value: string): Buffer => Buffer.from(value);
const field = (number: number, body: Uint8Array): Buffer => {
  const size = body.byteLength;
  const length = size < 128 ? [size] : [(size & 127) | 128, size >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), body]);
};
const int = (number: number, value: number): Buffer => Buffer.from([number << 3, value]);

interface Value {
  readonly name: string;
  /** Number of its element type; -1 for a sequence of maps. */
  readonly type: number;
  /** Absent where the file states none; a text is an axis of any length. */
  readonly shape?: readonly (number | string)[];
}

/** A model of one node, written as protobuf by hand. @see onnx/onnx.proto */
function model(node: Buffer, inputs: readonly Value[], outputs: readonly Value[]): Buffer {
  return modelOf([node], inputs, outputs);
}

function modelOf(
  nodes: readonly Buffer[],
  inputs: readonly Value[],
  outputs: readonly Value[],
): Buffer {
  const tensorType = ({ type, shape }: Value): Buffer => {
    const axes = shape?.map((axis) =>
      field(1, typeof axis === "number" ? int(1, axis) : field(2, text(axis))),
    );
    return Buffer.concat([
      int(1, type),
      ...(axes === undefined ? [] : [field(2, Buffer.concat(axes))]),
    ]);
  };
  const maps = field(
    4,
    field(1, field(5, Buffer.concat([int(1, 7), field(2, field(1, int(1, 1)))]))),
  );
  const value = (info: Value): Buffer =>
    Buffer.concat([
      field(1, text(info.name)),
      field(2, info.type === -1 ? maps : field(1, tensorType(info))),
    ]);
  const graph = Buffer.concat([
    ...nodes.map((node) => field(1, node)),
    field(2, text("g")),
    ...inputs.map((info) => field(11, value(info))),
    ...outputs.map((info) => field(12, value(info))),
  ]);
  const ml = field(8, Buffer.concat([field(1, text("ai.onnx.ml")), int(2, 2)]));
  return Buffer.concat([int(1, 8), field(8, int(2, 13)), ml, field(7, graph)]);
}

function operator(name: string, inputs: readonly string[], ...rest: readonly Buffer[]): Buffer {
  return Buffer.concat([
    ...inputs.map((input) => field(1, text(input))),
    field(2, text("y")),
    field(4, text(name)),
    ...rest,
  ]);
}

const [FP32, FP16] = [1, 10];

/** A model `y = -x` over floats of shape [n, 2]. */
function negation(type = FP32, shape: Value["shape"] = ["n", 2]): Buffer {
  const values = ["x", "y"].map((name) => ({ name, type, ...(shape !== undefined && { shape }) }));
  return model(operator("Neg", ["x"]), values.slice(0, 1), values.slice(1));
}

async function described(t: TestContext, bytes: Uint8Array): Promise<ModelDescription> {
  const { createTempDir } = await import("../../../ground/process/index.ts");
  const { writeFile } = await import("node:fs/promises");
  const folder = await createTempDir("slipway-onnx");
  t.after(() => folder[Symbol.asyncDispose]());
  await writeFile(`${folder.path}/model.onnx`, bytes);
  return {
    schemaVersion: 1,
    name: "neg",
    kind: "onnx",
    contract: "seldon",
    service: "MODEL",
    modelPath: `${folder.path}/model.onnx`,
    ports: { http: 0 },
    server: {},
  };
}

const tensor = (values: Float32Array, shape: readonly number[], name = "x"): NamedTensor => ({
  name,
  datatype: "FP32",
  shape,
  data: new Uint8Array(values.buffer),
});

function numbers({ outputs }: InferResponse): unknown[] {
  return isRaw(outputs) ? [] : outputs.map((output) => [output.name, [...elementsOf(output)]]);
}

test("an ONNX model answers in its thread, all outputs by name", async (t) => {
  await using predictor = await createOnnxPredictor(await described(t, negation()));
  const answers = await Promise.all([
    predictor.infer({ inputs: [tensor(Float32Array.of(1, 2), [1, 2])] }),
    predictor.infer({ inputs: [tensor(Float32Array.of(3, 4, 5, 6), [2, 2])] }),
  ]);
  assert.deepEqual(answers.map(numbers), [[["y", [-1, -2]]], [["y", [-3, -4, -5, -6]]]]);
});

test("numbers without a datatype are cast to what the model takes, others are refused", async (t) => {
  await using predictor = await createOnnxPredictor(await described(t, negation()));
  const doubles = { ...tensor(new Float32Array(0), [1, 2]), datatype: "FP64" } as const;
  const inputs = [{ ...doubles, data: new Uint8Array(Float64Array.of(1, 2).buffer) }];
  assert.deepEqual(numbers(await predictor.infer({ inputs, isUntyped: true })), [["y", [-1, -2]]]);
  await assert.rejects(predictor.infer({ inputs }), {
    code: "TENSOR_INVALID",
    tensor: "x",
    expected: "FP32",
    actual: "FP64",
  });
});

const REFUSED: readonly (readonly [what: string, request: InferRequest, error: object])[] = [
  [
    "another shape",
    { inputs: [tensor(Float32Array.of(1, 2, 3), [1, 3])] },
    { code: "TENSOR_INVALID", expected: "(-1,2)", actual: "(1,3)" },
  ],
  [
    "another name",
    { inputs: [tensor(Float32Array.of(1, 2), [1, 2], "z")] },
    { code: "TENSOR_INVALID", message: /"x" is missing; got "z", and it takes "x" FP32 \(-1,2\)/ },
  ],
  [
    "an input twice",
    {
      inputs: [tensor(Float32Array.of(1, 2), [1, 2]), tensor(Float32Array.of(1, 2), [1, 2])],
    },
    { code: "TENSOR_INVALID", tensor: "x" },
  ],
  [
    "an output that there is not",
    { inputs: [tensor(Float32Array.of(1, 2), [1, 2])], outputs: ["w"] },
    { code: "TENSOR_INVALID", tensor: "w", expected: '"y"' },
  ],
  [
    "a raw body",
    { inputs: { contentType: "text/plain", bytes: new Uint8Array(0) } },
    { code: "UNSUPPORTED" },
  ],
];

for (const [what, request, error] of REFUSED) {
  test(`a request with ${what} is refused and names what is wanted`, async (t) => {
    await using predictor = await createOnnxPredictor(await described(t, negation()));
    await assert.rejects(predictor.infer(request), error);
  });
}

test("a damaged model fails to load with the reason", async (t) => {
  await assert.rejects(createOnnxPredictor(await described(t, Buffer.from("not a model"))), {
    code: "MODEL_LOAD_FAILED",
    message: /"neg"/,
  });
});

test("several inputs are fed by their names, in any order", async (t) => {
  const value = (name: string): Value => ({ name, type: FP32, shape: ["n", 2] });
  const bytes = model(operator("Sub", ["a", "b"]), [value("a"), value("b")], [value("y")]);
  await using predictor = await createOnnxPredictor(await described(t, bytes));
  const a = tensor(Float32Array.of(5, 7), [1, 2], "a");
  const b = tensor(Float32Array.of(1, 2), [1, 2], "b");
  for (const inputs of [
    [a, b],
    [b, a],
  ])
    assert.deepEqual(numbers(await predictor.infer({ inputs })), [["y", [4, 5]]]);
  await assert.rejects(predictor.infer({ inputs: [a] }), {
    code: "TENSOR_INVALID",
    message: /the input "b" is missing/,
  });
});

test("float16 goes in and comes out as it is", async (t) => {
  await using predictor = await createOnnxPredictor(await described(t, negation(FP16)));
  const halves = Uint16Array.of(0x3c00, 0xc000); // 1, -2
  const half = { ...tensor(new Float32Array(0), [1, 2]), datatype: "FP16" } as const;
  const inputs = [{ ...half, data: new Uint8Array(halves.buffer) }];
  assert.deepEqual(numbers(await predictor.infer({ inputs })), [["y", [0xbc00, 0x4000]]]);
});

test("tensors that lie at odd places are read as they are", async (t) => {
  await using predictor = await createOnnxPredictor(await described(t, negation()));
  const data = Buffer.concat([Buffer.alloc(3), Buffer.from(Float32Array.of(1, 2).buffer)]).subarray(
    3,
  );
  const inputs = [{ ...tensor(new Float32Array(0), [1, 2]), data }];
  assert.deepEqual(numbers(await predictor.infer({ inputs })), [["y", [-1, -2]]]);
});

test("a model that states no shape takes any, and refuses none of its own accord", async (t) => {
  const values = [
    { name: "x", type: FP32 },
    { name: "y", type: FP32 },
  ];
  const bytes = model(operator("Neg", ["x"]), values.slice(0, 1), values.slice(1));
  await using predictor = await createOnnxPredictor(await described(t, bytes));
  for (const shape of [[2], [1, 2], [2, 1, 1]])
    assert.deepEqual(
      numbers(await predictor.infer({ inputs: [tensor(Float32Array.of(1, 2), shape)] })),
      [["y", [-1, -2]]],
    );
});

test("outputs that no tensor can carry are left out of the run", async (t) => {
  const kind = Buffer.from([0xa0, 1, 7]); // type: INTS
  const labels = field(
    5,
    Buffer.concat([field(1, text("classlabels_int64s")), int(8, 0), int(8, 1), kind]),
  );
  const zip = Buffer.concat([
    field(1, text("p")),
    field(2, text("z")),
    field(4, text("ZipMap")),
    labels,
    field(7, text("ai.onnx.ml")),
  ]);
  const floats = { type: FP32, shape: ["n", 2] } as const;
  const graph = modelOf(
    [operator("Neg", ["p"]), zip],
    [{ name: "p", ...floats }],
    [
      { name: "y", ...floats },
      { name: "z", type: -1 },
    ],
  );
  await using predictor = await createOnnxPredictor(await described(t, graph));
  assert.deepEqual(
    predictor.describe().signature?.outputs.map(({ name }) => name),
    ["y"],
  );
  const inputs = [tensor(Float32Array.of(0.25, 0.75), [1, 2], "p")];
  assert.deepEqual(numbers(await predictor.infer({ inputs })), [["y", [-0.25, -0.75]]]);
});
