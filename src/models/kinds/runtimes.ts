import type { CodeEntry, ModelKind } from "../description/index.ts";

/** What runs a kind: threads of the server, Python workers, what the user class is written in, or nothing. */
export type KindRuntime = "onnx" | "python" | "code" | "none";

/** Apart from the rows, since a server asks for nothing else of them, and all that reads models would be loaded at its start. */
const RUNTIMES: Readonly<Record<ModelKind, KindRuntime>> = {
  class: "code",
  onnx: "onnx",
  "tf-savedmodel": "python",
  "tf-frozen-graph": "python",
  "tf-checkpoint": "python",
  keras: "python",
  pytorch: "python",
  sklearn: "python",
  skops: "python",
  xgboost: "python",
  lightgbm: "python",
  catboost: "python",
  pmml: "python",
  caffe: "python",
  mxnet: "python",
  huggingface: "none",
  mlflow: "none",
  safetensors: "none",
  gguf: "none",
  tflite: "none",
  tfjs: "none",
  numpy: "none",
};

/** What runs a kind where no user code does. */
export function kindRuntime(kind: ModelKind): KindRuntime {
  return RUNTIMES[kind];
}

/** What a model is, as far as its runtime depends on it. */
export interface RunnableModel {
  readonly kind: ModelKind;
  readonly code?: Pick<CodeEntry, "language"> | undefined;
}

/**
 * What runs a model: user code decides where there is some, else its kind.
 * `none`: the kind is described only.
 */
export function runtimeOf({
  kind,
  code,
}: RunnableModel): "onnx" | "python" | "javascript" | "none" {
  if (code !== undefined) return code.language;
  const runtime = kindRuntime(kind);
  return runtime === "code" ? "python" : runtime;
}
