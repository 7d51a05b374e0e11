import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import type { ModelDescription, ModelKind } from "../../src/models/description/index.ts";
import { detectModel } from "../../src/models/kinds/index.ts";
import { bytesOf, toDoubles, type Tensor } from "../../src/models/tensor/index.ts";
import { isRaw } from "../../src/serving/plane/index.ts";
import { createPythonPredictor } from "../../src/serving/runtime/python/index.ts";
import { modelFilesIn } from "../support/kinds/model-folder.ts";
import { pythonEnv } from "../support/python-env.ts";

/** Frameworks of several hundred megabytes. */
const SLOW = {
  skip: process.env["SLIPWAY_SLOW"] === "1" ? false : "large frameworks; SLIPWAY_SLOW=1 runs it",
};
const FIXTURES = resolve(import.meta.dirname, "../fixtures/kinds");
/** The environment that conversions are tested in, too. */
const TENSORFLOW = [
  ...["tf2onnx==1.17.0", "onnx==1.19.1", "onnxruntime==1.23.2"],
  ...["tensorflow-cpu==2.20.0", "tf-keras==2.20.1"],
];
const SKLEARN = [
  ...["skl2onnx==1.20.0", "onnx==1.19.1", "onnxruntime==1.23.2", "onnxmltools==1.16.0"],
  ...["scikit-learn==1.7.2", "xgboost-cpu==3.2.0", "lightgbm==4.7.0", "pandas"],
];

/** A model, numbers that it is asked with, and what the framework that wrote it answered. */
interface Recorded {
  readonly kind: ModelKind;
  readonly folder: string;
  readonly packages: readonly string[];
  readonly input: { readonly name: string; readonly shape: readonly number[] };
  /** Of the numbers, which lie from `low` to `high`. */
  readonly seed: number;
  readonly range?: readonly [low: number, high: number];
  readonly output: string;
  /** The first values of the output. */
  readonly values: readonly number[];
  readonly parameters?: Readonly<Record<string, string>>;
}

const PICTURE = { name: "picture", shape: [2, 10, 10, 1] };
const DIGITS = [
  0.42496559023857117, 0.15372681617736816, 0.31208547949790955, 0.1092221587896347,
  0.4401470720767975, 0.14543473720550537, 0.3116462826728821, 0.10277184098958969,
];

const RECORDED: readonly Recorded[] = [
  {
    ...{ kind: "tf-savedmodel", folder: "savedmodel-keras3", packages: TENSORFLOW },
    ...{ input: PICTURE, seed: 71, output: "output_0", values: DIGITS },
  },
  {
    ...{ kind: "keras", folder: "keras-3-h5", packages: TENSORFLOW },
    ...{ input: PICTURE, seed: 71, output: "digit", values: DIGITS },
  },
  {
    ...{ kind: "keras", folder: "keras-2.1.3-rnn-json", packages: TENSORFLOW },
    ...{ input: { name: "g_input", shape: [2, 5, 4] }, seed: 43, output: "o" },
    values: [0.4272167384624481, 0.5727832913398743, 0.42787498235702515, 0.5721250176429749],
  },
  {
    ...{ kind: "keras", folder: "keras-1.2.2-th-json", packages: TENSORFLOW },
    ...{ input: { name: "c1_input", shape: [2, 2, 9, 9] }, seed: 8, output: "out" },
    values: [
      0.9142705202102661, -0.03215250000357628, 0.4205602705478668, -0.8501534461975098,
      0.8905081748962402, 0.09143340587615967, 0.26141440868377686, -0.8466801047325134,
    ],
  },
  {
    ...{ kind: "tf-checkpoint", folder: "ckpt-tf1.4-v1", packages: TENSORFLOW },
    ...{ input: { name: "x", shape: [4, 6] }, seed: 5, range: [-1, 1], output: "probs" },
    values: [0.33993592858314514, 0.33456718921661377, 0.3254968225955963, 0.3321830928325653],
  },
  {
    ...{ kind: "mxnet", folder: "mxnet-module", packages: ["mxnet==1.9.1", "numpy==1.23.5"] },
    ...{ input: { name: "data", shape: [2, 1, 10, 10] }, seed: 31, output: "softmax_output" },
    values: [0.24407260119915009, 0.047826819121837616, 0.2966989278793335, 0.1436300426721573],
  },
  {
    ...{ kind: "caffe", folder: "caffe-sr" },
    packages: ["opencv-python-headless==4.14.0.94", "pillow==13.0.0"],
    ...{ input: { name: "data", shape: [1, 1, 32, 32] }, seed: 33, output: "fc" },
    values: [0.25068163871765137],
  },
];

for (const one of RECORDED)
  test(`${one.kind} (${one.folder}) answers as the framework that wrote it`, SLOW, (t) =>
    answersAsRecorded(t, one),
  );

async function answersAsRecorded(t: TestContext, recorded: Recorded): Promise<void> {
  const { kind, packages, input, seed, range, output, values } = recorded;
  const environment = await pythonEnv(t, { packages });
  if (environment === undefined) return;
  const count = input.shape.reduce((product, size) => product * size, 1);
  const data = bytesOf(numbersFrom(seed, count, range));
  const found = await outputsOf(kind, recorded.folder, environment.python, [
    { ...input, datatype: "FP32", data },
  ]);
  const answer = found.get(output) ?? [];
  values.forEach((value, at) =>
    assert.ok(Math.abs(value - (answer[at] ?? 0)) < 1e-5, `${output} ${at}: ${answer[at]}`),
  );
}

test("scikit-learn answers on columns of text and numbers by their names", SLOW, async (t) => {
  const environment = await pythonEnv(t, { packages: SKLEARN });
  if (environment === undefined) return;
  const words = ["Bonn", "Rom"].map((word) => Buffer.from(word));
  const texts = Buffer.concat(words.flatMap((word) => [Buffer.from([word.length, 0, 0, 0]), word]));
  const found = await outputsOf(
    "sklearn",
    "sklearn-columns",
    environment.python,
    [
      { name: "age", datatype: "FP64", shape: [2], data: bytesOf(Float64Array.of(33, 70)) },
      { name: "city", datatype: "BYTES", shape: [2], data: texts },
    ],
    { method: "predict_proba" },
  );
  const answer = found.get("predict_proba") ?? [];
  [0.6711489833548692, 0.32885101664513083, 0.11967750289852519, 0.8803224971014748].forEach(
    (value, at) => assert.ok(Math.abs(value - (answer[at] ?? 0)) < 1e-5, `${answer[at]}`),
  );
});

/** Asks the model of a folder through a worker, as its files alone describe it. */
async function outputsOf(
  kind: ModelKind,
  name: string,
  python: string,
  inputs: readonly Tensor[],
  parameters: Readonly<Record<string, string>> = {},
): Promise<ReadonlyMap<string, readonly number[]>> {
  const folder = join(FIXTURES, name);
  const found = await detectModel({ folder, files: modelFilesIn(folder) });
  assert.equal(found.chosen.kind, kind);
  const description: ModelDescription = {
    ...{ schemaVersion: 1, name: "m", kind, contract: "kserve", service: "MODEL" },
    ...{ ports: { http: 0 }, server: {}, codePath: folder },
    modelPath: join(folder, found.chosen.modelPath ?? ""),
    ...(found.signature !== undefined && { signature: found.signature }),
    python: { executable: python, path: [] },
  };
  const given = Object.entries(parameters).map(([key, value]) => ({
    ...{ name: key, value, type: "STRING" as const },
  }));
  await using predictor = await createPythonPredictor(description, { parameters: given });
  const { outputs } = await predictor.infer({ inputs });
  assert.ok(!isRaw(outputs));
  return new Map(outputs.map((one) => [one.name, [...toDoubles(one)]]));
}

/** The generator of the fixtures' inputs. */
function numbersFrom(
  seed: number,
  count: number,
  [low, high]: readonly [number, number] = [0, 1],
): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(1_664_525, state) + 1_013_904_223) >>> 0;
    return low + ((high - low) * state) / 2 ** 32;
  });
}
