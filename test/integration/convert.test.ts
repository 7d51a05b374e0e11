import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { convertModel, createSession, type ConvertRequest } from "../../src/app/index.ts";
import { converterOf } from "../../src/app/convert/converters.ts";
import type { ModelKind } from "../../src/models/description/index.ts";
import { detectModel } from "../../src/models/kinds/index.ts";
import { modelFilesIn } from "../support/kinds/model-folder.ts";
import { pythonEnv } from "../support/python-env.ts";

const FIXTURES = resolve(import.meta.dirname, "../fixtures/kinds");
/** Frameworks of several hundred megabytes. */
const SLOW = {
  skip: process.env["SLIPWAY_SLOW"] === "1" ? false : "large frameworks; SLIPWAY_SLOW=1 runs it",
};
/** Models of scikit-learn and of trees are converted in one environment, so that the test makes one. */
const SMALL = [
  ...new Set(
    (["sklearn", "xgboost", "lightgbm"] as const).flatMap(
      (kind) => converterOf(kind)?.requirements ?? [],
    ),
  ),
  ...["scikit-learn==1.7.2", "xgboost-cpu==3.2.0", "lightgbm==4.7.0", "pandas"],
];
const LARGE = [
  ...(converterOf("keras")?.requirements ?? []),
  "tensorflow-cpu==2.20.0",
  "tf-keras==2.20.1",
];

interface Place {
  readonly folder: string;
  readonly output: string;
}

async function placeFor(t: TestContext): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-convert-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return { folder, output: join(folder, "model.onnx") };
}

function convert(request: ConvertRequest): ReturnType<typeof convertModel> {
  const { PATH, HOME } = process.env;
  return convertModel(
    { isInstalled: true, ...request },
    createSession({ environment: { PATH, HOME } }),
  );
}

/** The converted file is described as a model of its own. */
async function describedInputs(folder: string): Promise<readonly string[]> {
  const { chosen, signature } = await detectModel({ folder, files: modelFilesIn(folder) });
  assert.equal(chosen.kind, "onnx");
  return (signature?.inputs ?? []).map(({ name }) => name);
}

const MODELS: readonly {
  readonly kind: ModelKind;
  readonly source: string;
  readonly packages: readonly string[];
  readonly inputs: readonly string[];
  readonly more?: Partial<ConvertRequest>;
}[] = [
  { kind: "xgboost", source: "xgboost-ubj/iris.ubj", packages: SMALL, inputs: ["X"] },
  { kind: "lightgbm", source: "lightgbm-2.1/model.txt", packages: SMALL, inputs: ["X"] },
  { kind: "keras", source: "keras-3-h5", packages: LARGE, inputs: ["picture"] },
  { kind: "tf-savedmodel", source: "savedmodel-keras3", packages: LARGE, inputs: ["picture"] },
  { kind: "tf-checkpoint", source: "ckpt-tf1.4-v1", packages: LARGE, inputs: ["x"] },
  {
    kind: "tf-frozen-graph",
    source: "graph-tf1.4-uint8",
    packages: LARGE,
    inputs: ["image_tensor"],
    more: { outputs: "mean_rgb:0,num_detections:0" },
  },
];

for (const { kind, source, packages, inputs, more } of MODELS)
  test(`${kind} (${source}) becomes ONNX that answers alike`, SLOW, async (t) => {
    const python = await pythonEnv(t, { packages });
    if (python === undefined) return;
    const { folder, output } = await placeFor(t);
    const result = await convert({
      ...{ source: join(FIXTURES, source), output, python: python.python },
      ...more,
    });
    assert.equal(result.kind, kind);
    assert.ok(result.differences.length > 0);
    for (const { maxAbs = 0 } of result.differences) assert.ok(maxAbs < 1e-4, `${maxAbs}`);
    assert.deepEqual(await describedInputs(folder), inputs);
  });

test("columns of text and numbers are compared on the inputs that are given", SLOW, async (t) => {
  const python = await pythonEnv(t, { packages: SMALL });
  if (python === undefined) return;
  const { folder, output } = await placeFor(t);
  const people = join(folder, "people.json");
  await writeFile(people, JSON.stringify({ inputs: { age: [33, 70], city: ["Bonn", "Rom"] } }));
  const request = { source: join(FIXTURES, "sklearn-columns"), output, python: python.python };
  await assert.rejects(convert(request), {
    code: "USAGE",
    message: /the input city takes text, which random numbers are not/,
  });
  const { outputs, differences } = await convert({ ...request, inputs: [people] });
  assert.deepEqual(outputs, ["predict", "predict_proba"]);
  assert.deepEqual(
    differences.map(({ sample, different = 0 }) => [sample, different]),
    [
      [people, 0],
      [people, 0],
    ],
  );
  assert.deepEqual(await describedInputs(folder), ["age", "city"]);
});

test("a conversion that differs too much writes nothing", SLOW, async (t) => {
  const python = await pythonEnv(t, { packages: SMALL });
  if (python === undefined) return;
  const { output } = await placeFor(t);
  const source = join(FIXTURES, "lightgbm-2.1");
  await assert.rejects(convert({ source, output, python: python.python, tolerance: 0 }), {
    code: "CONVERSION_DIFFERS",
    message: /the answers differ by more than 0: probabilities \(random\): abs/,
  });
  await assert.rejects(stat(output), { code: "ENOENT" });
});

test("what no converter takes is refused by its kind", async (t) => {
  const { output } = await placeFor(t);
  await assert.rejects(convert({ source: join(FIXTURES, "pmml-tree"), output }), {
    code: "UNSUPPORTED",
    message: /no converter takes PMML/i,
    hint: /keras, lightgbm/,
  });
});

test("a model that lacks a part, and a pickle that imports what it may not, are never converted", async (t) => {
  const { folder, output } = await placeFor(t);
  await writeFile(join(folder, "m.pkl"), "cposix\nsystem\n(S'true'\ntR.");
  await assert.rejects(convert({ source: join(folder, "m.pkl"), output }), {
    code: "PICKLE_REFUSED",
  });
  const weights = await readFile(join(FIXTURES, "keras-2.1.3-rnn-json/weights.h5"));
  await rm(join(folder, "m.pkl"));
  await writeFile(join(folder, "weights.h5"), weights);
  await assert.rejects(convert({ source: folder, output }), { message: /architecture/ });
});
