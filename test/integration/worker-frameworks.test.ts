import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { run } from "../../src/ground/process/index.ts";
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

/** Asks the model of a folder through a worker, as its files alone describe it. */
async function answerOf(
  folder: string,
  python: string,
  input: Tensor,
  kind: ModelKind,
): Promise<readonly number[]> {
  const found = await detectModel({ folder, files: modelFilesIn(folder) });
  assert.equal(found.chosen.kind, kind);
  assert.equal(found.obstacle, undefined);
  const description: ModelDescription = {
    ...{ schemaVersion: 1, name: "m", kind, contract: "kserve", service: "MODEL" },
    ...{ ports: { http: 0 }, server: {}, codePath: folder },
    modelPath: join(folder, found.chosen.modelPath ?? ""),
    ...(found.signature !== undefined && { signature: found.signature }),
    python: { executable: python, path: [] },
  };
  await using predictor = await createPythonPredictor(description);
  const { outputs } = await predictor.infer({ inputs: [input] });
  assert.ok(!isRaw(outputs));
  const [first] = outputs;
  return first === undefined ? [] : [...toDoubles(first)];
}

function assertClose(found: readonly number[], wanted: readonly number[]): void {
  assert.equal(found.length, wanted.length);
  found.forEach((value, at) =>
    assert.ok(Math.abs(value - (wanted[at] ?? 0)) < 1e-5, `${at}: ${value}`),
  );
}

/** The generator of the fixtures' inputs. */
function numbersFrom(seed: number, count: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(1_664_525, state) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  });
}

/** What torch 2.6 answered to the first of two pictures; three ways to save one network. */
const TORCH_ANSWER = [
  0.2885986864566803, 0.282429963350296, 0.2660147547721863, 0.1629565954208374,
];

for (const folder of ["torch-traced", "torch-pt2", "torch-state-zip"])
  test(`PyTorch answers from ${folder} as it did when it was saved`, SLOW, async (t) => {
    const python = await pythonEnv(t, { packages: ["torch==2.15.0", "numpy"] });
    if (python === undefined) return;
    const data = bytesOf(numbersFrom(51, 200));
    const image: Tensor = { name: "image", datatype: "FP32", shape: [2, 1, 10, 10], data };
    const found = await answerOf(join(FIXTURES, folder), python.python, image, "pytorch");
    assertClose(found.slice(0, 4), TORCH_ANSWER);
  });

/** Fits a model in the framework itself, saves it, and prints what it answers to four numbers of a flower. */
const FITTED: readonly {
  readonly kind: ModelKind;
  readonly packages: readonly string[];
  readonly script: string;
}[] = [
  {
    kind: "skops",
    packages: ["skops==0.16.0", "scikit-learn==1.7.2"],
    script: `
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
import skops.io
m = make_pipeline(StandardScaler(), LinearRegression()).fit(X, y)
skops.io.dump(m, folder + "/iris.skops")
answer = m.predict(row)`,
  },
  {
    kind: "catboost",
    packages: ["catboost==1.2.10", "scikit-learn==1.7.2"],
    script: `
import catboost
m = catboost.CatBoostClassifier(iterations=5, depth=2, verbose=False, random_seed=1, train_dir=folder + "/log").fit(X, y)
import shutil; shutil.rmtree(folder + "/log", ignore_errors=True)
m.save_model(folder + "/iris.cbm")
answer = m.predict(row, prediction_type="RawFormulaVal")`,
  },
];
const ROW = Float64Array.of(5.1, 3.5, 1.4, 0.2);

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-fitted-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

for (const { kind, packages, script } of FITTED)
  test(`a model of ${kind} answers as the framework that fitted it`, SLOW, async (t) => {
    const python = await pythonEnv(t, { packages });
    if (python === undefined) return;
    const folder = await temporaryFolder(t);
    const source = `import json, sys, numpy; from sklearn.datasets import load_iris
X, y = load_iris(return_X_y=True); folder = sys.argv[1]; row = numpy.array([[${ROW.join()}]])${script}
print(json.dumps(numpy.asarray(answer, float).ravel().tolist()))`;
    const { stdout } = await run([python.python, "-c", source, folder], { timeoutMs: 120_000 });
    const wanted = JSON.parse(stdout.toString()) as readonly number[];
    const input: Tensor = { name: "X", datatype: "FP64", shape: [1, 4], data: bytesOf(ROW) };
    assertClose(await answerOf(folder, python.python, input, kind), wanted);
  });
