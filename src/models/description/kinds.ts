import type { CodeEntry } from "./description.ts";

/** What runs a kind: threads of the server, Python workers, what the user class is written in, or nothing. */
export type KindRuntime = "onnx" | "python" | "code" | "none";

/** Every kind of model, by what its files are, and what runs it; `class` means that only user code knows. */
const KINDS = [
  ["class", "code"],
  ["onnx", "onnx"],
  ["tf-savedmodel", "python"],
  ["tf-frozen-graph", "python"],
  ["tf-checkpoint", "python"],
  ["keras", "python"],
  ["pytorch", "python"],
  ["sklearn", "python"],
  ["skops", "python"],
  ["xgboost", "python"],
  ["lightgbm", "python"],
  ["catboost", "python"],
  ["pmml", "python"],
  ["caffe", "python"],
  ["mxnet", "python"],
  ["huggingface", "none"],
  ["mlflow", "none"],
  ["safetensors", "none"],
  ["gguf", "none"],
  ["tflite", "none"],
  ["tfjs", "none"],
  ["numpy", "none"],
] as const;

/** What kind of files a model is made of. */
export type ModelKind = (typeof KINDS)[number][0];

/** The names of all kinds. */
export const MODEL_KINDS: readonly ModelKind[] = KINDS.map(([name]) => name);

const RUNTIMES: ReadonlyMap<ModelKind, KindRuntime> = new Map(KINDS);

/** What runs a kind where no user code does. */
export function kindRuntime(kind: ModelKind): KindRuntime {
  return RUNTIMES.get(kind) ?? "none";
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
