import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test, type TestContext } from "node:test";
import type { ModelKind } from "../../src/models/description/index.ts";
import { createPythonPredictor } from "../../src/serving/runtime/python/index.ts";
import { pythonEnv } from "../support/python-env.ts";

const FIXTURES = resolve(import.meta.dirname, "../fixtures/kinds");
/** Four numbers of a flower; the models know three kinds of them. */
const ROW = Float64Array.of(5.1, 3.5, 1.4, 0.2);

/** Kinds whose frameworks are small, each held against the framework itself, in the same environment. */
const CASES: readonly {
  readonly kind: ModelKind;
  readonly file: string;
  readonly packages: readonly string[];
  readonly direct: string;
}[] = [
  {
    kind: "xgboost",
    file: "xgboost-ubj/iris.ubj",
    packages: ["xgboost-cpu==3.2.0"],
    direct:
      "import xgboost as x; b = x.Booster(); b.load_model(p); a = b.predict(x.DMatrix(r, feature_names=b.feature_names))",
  },
  {
    kind: "lightgbm",
    file: "lightgbm-2.1/model.txt",
    packages: ["lightgbm==4.7.0"],
    direct: "import lightgbm as l; a = l.Booster(model_file=p).predict(r)",
  },
];

for (const one of CASES)
  test(`a file of ${one.kind} answers as the library does`, async (t) => answersAlike(t, one));

async function answersAlike(
  t: TestContext,
  { kind, file, packages, direct }: (typeof CASES)[number],
): Promise<void> {
  const environment = await pythonEnv(t, { packages });
  if (environment === undefined) return;
  const modelPath = resolve(FIXTURES, file);
  const { run } = await import("../../src/ground/process/index.ts");
  const script = `import json, sys, numpy as n; p = sys.argv[1]; r = n.array([[${ROW.join()}]]); ${direct}; print(json.dumps(n.asarray(a).ravel().tolist()))`;
  const { stdout } = await run([environment.python, "-c", script, modelPath], {
    timeoutMs: 60_000,
  });
  const wanted = JSON.parse(stdout.toString()) as readonly number[];
  await using predictor = await createPythonPredictor(
    {
      schemaVersion: 1,
      name: kind,
      kind,
      contract: "seldon",
      service: "MODEL",
      ports: { http: 0 },
      server: {},
      modelPath,
      codePath: resolve(modelPath, ".."),
      python: { executable: environment.python, path: [] },
    },
    {},
  );
  const data = new Uint8Array(ROW.buffer);
  const { outputs } = await predictor.infer({
    inputs: [{ name: "X", datatype: "FP64", shape: [1, 4], data }],
  });
  assert.ok(Array.isArray(outputs));
  const [answer] = outputs as readonly {
    readonly name: string;
    readonly datatype: string;
    readonly data: Uint8Array;
  }[];
  assert.equal(answer?.name, "predict");
  const bytes = Uint8Array.from(answer.data).buffer;
  const found = answer.datatype === "FP32" ? new Float32Array(bytes) : new Float64Array(bytes);
  assert.equal(found.length, 3);
  found.forEach((value, index) => assert.ok(Math.abs(value - (wanted[index] ?? 0)) < 1e-5));
}
