import assert from "node:assert/strict";
import { test } from "node:test";
import { elementsOf, type Signature } from "../../../models/tensor/index.ts";
import {
  tensorOfList,
  type ComponentMessage,
  type InferRequest,
  type NamedTensor,
  type Payload,
  type Predictor,
} from "../../plane/index.ts";
import { graphOf } from "./graph-of-predictor.ts";

const spec = (name: string, ...shape: number[]) => ({ name, datatype: "FP32" as const, shape });
const TWO: Signature = { inputs: [spec("a", -1, 1), spec("b", -1)], outputs: [] };
const ONE: Signature = { inputs: [spec("x", -1, 2)], outputs: [] };

function predictor(
  signature: Signature | undefined,
  outputs: readonly NamedTensor[],
): Predictor & { readonly asked: InferRequest[] } {
  const asked: InferRequest[] = [];
  return {
    asked,
    describe: () => ({
      ...(signature !== undefined && { signature }),
      ...{ platform: "test", takesTensors: true, takesRawBody: false, streams: false },
      ...{ joinsRows: false, wantsHeaders: false },
    }),
    infer: (request) => {
      asked.push(request);
      return Promise.resolve({ outputs });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const table = (names: readonly string[], ...rows: number[][]): ComponentMessage => ({
  names,
  payload: { kind: "tensor", tensor: tensorOfList("", rows) },
});
const json = (text: string): ComponentMessage => ({
  names: [],
  payload: { kind: "json", json: text },
});

async function ask(
  signature: Signature | undefined,
  message: ComponentMessage,
): Promise<readonly NamedTensor[]> {
  const model = predictor(signature, [tensorOfList("y", [[1]])]);
  await graphOf(model).call({ method: "predict", messages: [message] });
  return model.asked[0]?.inputs as readonly NamedTensor[]; // graphOf gives tensors
}

test("a model of one input takes the array in data, whatever its columns are called", async () => {
  const inputs = await ask(ONE, table(["p", "q"], [1, 2], [3, 4]));
  assert.deepEqual(
    inputs.map(({ name, shape }) => [name, shape]),
    [["x", [2, 2]]],
  );
});

test("a model of several inputs takes them by name, in jsonData and as columns", async () => {
  const forms = [table(["b", "a"], [10, 1], [20, 2]), json('{"b": [10, 20], "a": [[1], [2]]}')];
  for (const form of forms) {
    const inputs = await ask(TWO, form);
    const byName = new Map(
      inputs.map(({ name, shape, data }) => [
        name,
        [shape, [...elementsOf({ name, datatype: "INT64", data })].map(Number)],
      ]),
    );
    assert.deepEqual(byName.get("a"), [
      [2, 1],
      [1, 2],
    ]);
    assert.deepEqual(byName.get("b"), [[2], [10, 20]]);
  }
});

const GUESSED: readonly (readonly [what: string, message: ComponentMessage])[] = [
  ["one array without names", table([], [1, 2])],
  ["columns of other names", table(["a", "c"], [1, 2])],
  ["a missing name", json('{"a": [1]}')],
  ["a name too many", json('{"a": [1], "b": [1], "c": [1]}')],
  ["no object", json("[1]")],
  ["text", { names: [], payload: { kind: "text", text: "x" } }],
];

for (const [what, message] of GUESSED) {
  test(`nothing is guessed for several inputs: ${what} is refused and the inputs are listed`, async () => {
    await assert.rejects(ask(TWO, message), {
      code: "TENSOR_INVALID",
      message: /"a" FP32 \(-1,1\), "b" FP32 \(-1,\)/,
    });
  });
}

async function answered(
  ...outputs: NamedTensor[]
): Promise<{ payload: Payload; tags: string | undefined }> {
  const { message, tags } = await graphOf(predictor(ONE, outputs)).call({
    method: "predict",
    messages: [table([], [1, 2])],
  });
  return { payload: message.payload, tags };
}

test("one output is data, several are jsonData by name, a classifier's label is a tag", async () => {
  const one = await answered(tensorOfList("y", [[1.5]]));
  assert.equal(one.payload.kind, "tensor");
  const several = await answered(
    tensorOfList("y", [[1.5]]),
    tensorOfList("z", ["é"]),
    tensorOfList("n", [2]),
  );
  assert.deepEqual(several.payload, {
    kind: "json",
    json: '{"y":[[1.5]],"z":["\\u00e9"],"n":[2]}',
  });
  const scores = tensorOfList("probabilities", [[0.25, 0.75]]);
  const classified = await answered(tensorOfList("label", [1]), scores);
  assert.deepEqual(classified, {
    payload: { kind: "tensor", tensor: scores },
    tags: '{"label":[1]}',
  });
});

test("the same predictor has the same methods, and a class its own", () => {
  const model = predictor(ONE, []);
  assert.equal(graphOf(model), graphOf(model));
  const graph = graphOf(model);
  assert.equal(graphOf({ ...model, graph }), graph);
});
