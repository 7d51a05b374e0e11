import { join } from "node:path";
import type { TestContext } from "node:test";
import type { ModelDescription } from "../../src/models/description/index.ts";
import { createLogger, serveModel, type RunningServer } from "../../src/serving/server/index.ts";
import { pythonEnv } from "./python-env.ts";

const FOLDER = join(import.meta.dirname, "../fixtures/v2");
/** Models of the fixture; these have an ONNX file too. */
const MODELS = [
  "add_sub",
  "classify",
  "fail",
  "identity_bytes",
  "identity_fp16",
  "identity_fp32",
  "identity_int64",
];
const WITH_ONNX = ["add_sub", "identity_bytes", "identity_fp16", "identity_fp32"];

/** The models of the fixture as Python classes, or those that are ONNX files as these. Skips the test where there is no Python. */
export async function startV2Server(
  t: TestContext,
  kind: "class" | "onnx",
): Promise<RunningServer | undefined> {
  const environment = await pythonEnv(t, { packages: ["numpy"] });
  if (environment === undefined) return undefined;
  const describe = (name: string): ModelDescription => ({
    ...{ schemaVersion: 1, name, kind, contract: "kserve", service: "MODEL" },
    codePath: join(FOLDER, name),
    ...(kind === "onnx"
      ? { modelPath: join(FOLDER, name, "model.onnx") }
      : { code: { file: "model.py", name: "Model", language: "python" } }),
    ports: { http: 0, grpc: 0 },
    server: {},
    python: { executable: environment.python, path: [] },
  });
  const [first = "", ...others] = kind === "onnx" ? WITH_ONNX : MODELS;
  return serveModel(describe(first), {
    host: "127.0.0.1",
    others: {
      models: others.map((name) => ({ name, version: "1", describe: async () => describe(name) })),
    },
    log: createLogger({ level: "fatal", write: () => undefined }),
  });
}
