import type { ModelKind } from "../../models/description/index.ts";

/** What makes ONNX of a kind of model. */
export interface Converter {
  /** Its name, as its users know it. */
  readonly name: string;
  /** Packages beside those that load the model, as lines of a requirements file. */
  readonly requirements: readonly string[];
}

/** What writes and asks ONNX files, of releases that all converters take. */
const ONNX = ["onnx==1.19.1", "onnxruntime==1.23.2"] as const;
const TENSORFLOW = converter("tf2onnx", "tf2onnx==1.17.0");
const SKLEARN = converter("skl2onnx", "skl2onnx==1.20.0");
const TREES = converter("onnxmltools", "onnxmltools==1.16.0", "skl2onnx==1.20.0");

/** Kinds that a well-kept converter takes. What is not here is served as it is. */
const CONVERTERS: { readonly [Kind in ModelKind]?: Converter } = {
  "tf-savedmodel": TENSORFLOW,
  "tf-frozen-graph": TENSORFLOW,
  "tf-checkpoint": TENSORFLOW,
  keras: TENSORFLOW,
  tflite: converter("tf2onnx", "tf2onnx==1.17.0", "tensorflow-cpu==2.20.0"),
  sklearn: SKLEARN,
  skops: SKLEARN,
  xgboost: TREES,
  lightgbm: TREES,
  catboost: converter("CatBoost"),
  pytorch: converter("torch.onnx", "onnxscript==0.7.2", "numpy"),
};

function converter(name: string, ...lines: readonly string[]): Converter {
  return { name, requirements: [...lines, ...ONNX] };
}

/** What converts a kind; `undefined` where nothing does. */
export function converterOf(kind: ModelKind): Converter | undefined {
  return CONVERTERS[kind];
}

/** Kinds that can be converted, sorted. */
export function convertibleKinds(): readonly string[] {
  return Object.keys(CONVERTERS).toSorted();
}
