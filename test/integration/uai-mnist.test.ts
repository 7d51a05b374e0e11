import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import type { ModelDescription } from "../../src/models/description/index.ts";
import { createLogger, serveModel } from "../../src/serving/server/index.ts";
import { printConf } from "../../src/jobs/uai/index.ts";
import {
  assertMnist,
  CAFFE,
  KERAS,
  mnistData,
  TENSORFLOW,
  TENSORFLOW_GRAPH,
  type MnistModel,
} from "../support/mnist.ts";
import { pythonEnv } from "../support/python-env.ts";

const SLOW = {
  skip:
    process.env["SLIPWAY_REQUIRE_PEERS"] === "1" || process.env["SLIPWAY_SLOW"] === "1"
      ? false
      : "another 10,000 images; SLIPWAY_SLOW=1 runs it",
};

/** Serves the model with its class, as an image of it would, and holds it against what is known. */
async function holds(
  t: TestContext,
  model: MnistModel,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const modelDir = mnistData(t, model.folder);
  if (modelDir === undefined) return;
  const python = await pythonEnv(t, { packages: model.packages });
  if (python === undefined) return;
  const folder = await mkdtemp(join(tmpdir(), "slipway-mnist-"));
  t.after(() => rm(folder, { recursive: true }));
  const about = {
    mainModule: "mnist_inference",
    mainClass: "MnistModel",
    modelDir,
    modelName: "mnist_model",
    isOneFile: false,
    archType: "json",
    epoch: 0,
  };
  await writeFile(join(folder, "mnist_inference.py"), model.source);
  await writeFile(join(folder, "ufile.json"), printConf(model.framework, about));
  const description: ModelDescription = {
    schemaVersion: 1,
    name: "mnist",
    kind: "class",
    contract: "uai",
    service: "MODEL",
    codePath: folder,
    code: { file: "mnist_inference.py", name: "MnistModel", language: "python" },
    ports: { http: 0 },
    server: { maxBatch: 32 },
    python: { executable: python.python, path: [] },
  };
  const server = await serveModel(description, {
    host: "127.0.0.1",
    env: { ...process.env, ...env },
    log: createLogger({ level: "fatal", write: () => undefined }),
  });
  t.after(() => server.stop({ graceMs: 1000 }));
  await assertMnist(`http://127.0.0.1:${server.ports.http}/service`, model);
}

test("an old Caffe class answers 2 for the picture of a 2, and all test images as documented, some of them together", (t) =>
  holds(t, CAFFE));

test("an old Keras class reads the files of Keras 1 and answers as documented", (t) =>
  holds(t, KERAS));

test("a TensorFlow 1 class that builds its graph by hand answers as documented on a TensorFlow of today", (t) =>
  holds(t, TENSORFLOW, { SLIPWAY_TF1_COMPAT: "1" }));

test("a TensorFlow 1 class that takes its graph from a file does so, too", SLOW, (t) =>
  holds(t, TENSORFLOW_GRAPH, { SLIPWAY_TF1_COMPAT: "1" }),
);

test("every kind of layer that Keras 1 wrote answers as it did then, and TensorFlow 1 has its parts", async (t) => {
  const python = await pythonEnv(t, { packages: KERAS.packages });
  if (python === undefined) return;
  const { stderrTail } = await run(
    [python.python, "-m", "unittest", "tests.test_keras1", "tests.test_tf1"],
    { cwd: join(import.meta.dirname, "../../python"), timeoutMs: 600_000 },
  );
  assert.match(stderrTail, /Ran 12 tests[^]*OK \(skipped=2\)/);
});
