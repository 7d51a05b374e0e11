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
const field = (number: number, body: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2, body.byteLength]), body]);
const int = (number: number, value: number): Buffer => Buffer.from([number << 3, value]);

/** A model `y = -x` over floats of shape [n, 2], written as protobuf by hand. @see onnx/onnx.proto */
function negation(): Buffer {
  const dim = (body: Uint8Array): Buffer => field(1, body);
  const shape = Buffer.concat([dim(field(2, text("n"))), dim(int(1, 2))]);
  const value = (name: string): Buffer =>
    Buffer.concat([
      field(1, text(name)),
      field(2, field(1, Buffer.concat([int(1, 1), field(2, shape)]))),
    ]);
  const node = Buffer.concat([field(1, text("x")), field(2, text("y")), field(4, text("Neg"))]);
  const graph = Buffer.concat([
    field(1, node),
    field(2, text("g")),
    field(11, value("x")),
    field(12, value("y")),
  ]);
  return Buffer.concat([int(1, 8), field(8, int(2, 13)), field(7, graph)]);
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
