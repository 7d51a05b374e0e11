import type { ModelKind } from "../description/index.ts";
import type { KindRow } from "./contracts.ts";
import { caffe } from "./caffe/caffe.ts";
import { huggingface } from "./folders/huggingface.ts";
import { mlflow } from "./folders/mlflow.ts";
import { keras } from "./keras/keras.ts";
import { mxnet } from "./mxnet/mxnet.ts";
import { onnx } from "./onnx/onnx.ts";
import { pickledEstimator } from "./pickle/reader.ts";
import { pmml } from "./pmml/pmml.ts";
import { checkpoint } from "./tensorflow/checkpoint.ts";
import { frozenGraph } from "./tensorflow/frozen-graph.ts";
import { savedModel } from "./tensorflow/saved-model.ts";
import { pytorch } from "./torch/pytorch.ts";
import { catboost } from "./trees/catboost.ts";
import { lightgbm } from "./trees/lightgbm.ts";
import { xgboost } from "./trees/xgboost.ts";
import { userClass } from "./user-class.ts";
import { gguf } from "./weights/gguf.ts";
import { numpy } from "./weights/numpy.ts";
import { safetensors } from "./weights/safetensors.ts";
import { skops } from "./weights/skops.ts";
import { tensorflowJs } from "./weights/tensorflow-js.ts";
import { tflite } from "./weights/tflite.ts";

/** Every kind of model, by name. The order decides nothing but the order of lists in errors. */
const ROWS: Readonly<Record<ModelKind, KindRow>> = {
  class: userClass,
  onnx,
  "tf-savedmodel": savedModel,
  "tf-frozen-graph": frozenGraph,
  "tf-checkpoint": checkpoint,
  keras,
  pytorch,
  sklearn: pickledEstimator,
  skops,
  xgboost,
  lightgbm,
  catboost,
  pmml,
  caffe,
  mxnet,
  huggingface,
  mlflow,
  safetensors,
  gguf,
  tflite,
  tfjs: tensorflowJs,
  numpy,
};

/** Every kind of model that is recognised. */
export const KIND_ROWS: readonly KindRow[] = Object.values(ROWS);

/** The row of a kind. */
export function kindRow(kind: ModelKind): KindRow {
  return ROWS[kind];
}
