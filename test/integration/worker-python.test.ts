import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import { pythonEnv } from "../support/python-env.ts";
import { json, rows, startWith } from "./worker-support.ts";

const PYTHON = join(import.meta.dirname, "../../python");
const PYCACHE = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };

async function unitTests(python: string): Promise<void> {
  const { stderrTail } = await run([python, "-m", "unittest", "discover", "-s", ".", "-t", "."], {
    cwd: PYTHON,
    env: PYCACHE,
    timeoutMs: 60_000,
  });
  assert.match(stderrTail, /Ran \d{3,} tests/);
}

test("the worker's own tests pass with the standard library alone", () =>
  unitTests("/usr/bin/python3"));

test("the worker's own tests pass with numpy, protobuf and flask", async (t) => {
  const environment = await pythonEnv(t, { packages: ["numpy", "protobuf", "flask"] });
  if (environment !== undefined) await unitTests(environment.python);
});

test("the stand-in for Caffe answers as its networks' numbers say", async (t) => {
  const environment = await pythonEnv(t, {
    packages: ["opencv-python-headless<5", "numpy", "pillow"],
  });
  if (environment === undefined) return;
  const { stderrTail } = await run(
    [environment.python, "-m", "unittest", "tests.test_caffe", "tests.test_uai_package"],
    { cwd: PYTHON, env: PYCACHE, timeoutMs: 60_000 },
  );
  assert.match(stderrTail, /Ran \d+ tests/);
  assert.doesNotMatch(stderrTail, /skipped/);
});

test("the worker's sources are clean for ruff and mypy", async (t) => {
  const environment = await pythonEnv(t, { packages: ["ruff", "mypy", "numpy"] });
  if (environment === undefined) return;
  await run([join(environment.bin, "ruff"), "check", "--no-cache", "."], { cwd: PYTHON });
  await run([join(environment.bin, "ruff"), "format", "--no-cache", "--check", "."], {
    cwd: PYTHON,
  });
  await run([join(environment.bin, "mypy"), "--cache-dir", "/dev/null"], {
    cwd: PYTHON,
    timeoutMs: 120_000,
  });
});

test("a scikit-learn file answers as the library does", async (t) => {
  const environment = await pythonEnv(t, { packages: ["scikit-learn"] });
  if (environment === undefined) return;
  const { createTempDir } = await import("../../src/ground/process/index.ts");
  await using folder = await createTempDir("slipway-sklearn");
  const path = join(folder.path, "iris.joblib");
  const train = `
import joblib, json, sys
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
X, y = load_iris(return_X_y=True)
model = LogisticRegression(max_iter=500).fit(X, y)
joblib.dump(model, sys.argv[1])
print(json.dumps([model.predict(X[:3]).tolist(), model.predict_proba(X[:3]).tolist(), X[:3].tolist()]))`;
  const { stdout } = await run([environment.python, "-c", train, path], { timeoutMs: 120_000 });
  const [classes, chances, inputs] = JSON.parse(stdout.toString()) as [
    number[],
    number[][],
    number[][],
  ];
  const description = { kind: "sklearn", modelPath: path, codePath: folder.path } as const;
  const start = async (method?: string) => {
    const { createPythonPredictor } = await import("../../src/serving/runtime/python/index.ts");
    return createPythonPredictor(
      {
        schemaVersion: 1,
        name: "iris",
        contract: "seldon",
        service: "MODEL",
        ports: { http: 0 },
        server: {},
        python: { executable: environment.python, path: [] },
        ...description,
      },
      {
        ...(method !== undefined && {
          parameters: [{ name: "method", value: method, type: "STRING" }],
        }),
      },
    );
  };
  await using plain = await start();
  const answer = await plain.call(rows(inputs));
  assert.deepEqual(
    answer.message.payload.kind === "tensor" && {
      shape: answer.message.payload.tensor.shape,
      datatype: answer.message.payload.tensor.datatype,
    },
    { shape: [3], datatype: "INT64" },
  );
  assert.deepEqual(classes, [0, 0, 0]);
  assert.deepEqual(plain.facts.features, { count: 4, names: [] });
  await using proba = await start("predict_proba");
  const likely = await proba.call(rows(inputs));
  assert.ok(likely.message.payload.kind === "tensor");
  const { data } = likely.message.payload.tensor;
  assert.deepEqual(
    [...new Float64Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength))],
    chances.flat(),
  );
  assert.deepEqual(likely.message.names, ["0", "1", "2"]);
});

test("packages in a site folder with a .pth file are found, and stand before the interpreter's own", async () => {
  const { createTempDir } = await import("../../src/ground/process/index.ts");
  const { mkdir, writeFile } = await import("node:fs/promises");
  await using folder = await createTempDir("slipway-site");
  await mkdir(join(folder.path, "site"));
  await mkdir(join(folder.path, "beside"));
  await writeFile(join(folder.path, "site", "extra.pth"), `${join(folder.path, "beside")}\n`);
  await writeFile(join(folder.path, "site", "mylib.py"), "value = 'site'");
  await writeFile(join(folder.path, "beside", "other.py"), "value = 'pth'");
  await writeFile(
    join(folder.path, "Model.py"),
    "import mylib, other\nclass Model:\n    def predict(self, X, names):\n        return {'mylib': mylib.value, 'other': other.value}\n",
  );
  await using worker = await startWith("/usr/bin/python3", {
    code: "Model.py:Model",
    description: {
      codePath: folder.path,
      python: { executable: "/usr/bin/python3", path: [join(folder.path, "site")] },
    },
  });
  assert.deepEqual(json(await worker.component.call(rows([[1]]))), { mylib: "site", other: "pth" });
});
