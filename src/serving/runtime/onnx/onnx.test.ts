import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createOnnxComponent } from "./index.ts";
import type { ModelDescription } from "../../../models/description/index.ts";

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

const request = (values: Float64Array, shape: readonly number[]) =>
  ({
    method: "predict",
    messages: [
      {
        names: [],
        payload: {
          kind: "tensor",
          tensor: { name: "", datatype: "FP64", shape, data: new Uint8Array(values.buffer) },
        },
      },
    ],
  }) as const;

test("an ONNX model answers in its thread, with numbers cast to what it takes", async (t) => {
  await using component = await createOnnxComponent(await described(t, negation()));
  const answers = await Promise.all([
    component.call(request(Float64Array.of(1, 2), [1, 2])),
    component.call(request(Float64Array.of(3, 4, 5, 6), [2, 2])),
  ]);
  const values = answers.map(({ message }) =>
    message.payload.kind === "tensor"
      ? [...new Float32Array(message.payload.tensor.data.slice().buffer)]
      : [],
  );
  assert.deepEqual(values, [
    [-1, -2],
    [-3, -4, -5, -6],
  ]);
  assert.deepEqual(answers[0].message.names, ["t:0", "t:1"]);
});

test("a shape that the model does not take is refused with both shapes", async (t) => {
  await using component = await createOnnxComponent(await described(t, negation()));
  await assert.rejects(component.call(request(Float64Array.of(1, 2, 3), [1, 3])), {
    code: "TENSOR_INVALID",
    expected: "(-1,2)",
    actual: "(1,3)",
  });
  await assert.rejects(
    component.call({
      method: "predict",
      messages: [{ names: [], payload: { kind: "text", text: "x" } }],
    }),
    { code: "REQUEST_INVALID" },
  );
  await assert.rejects(component.call({ method: "route", messages: [] }), {
    code: "REQUEST_INVALID",
  });
});

test("a damaged model fails to load with the reason", async (t) => {
  await assert.rejects(createOnnxComponent(await described(t, Buffer.from("not a model"))), {
    code: "MODEL_LOAD_FAILED",
    message: /"neg"/,
  });
});
