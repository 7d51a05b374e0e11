import type { Datatype, TensorSpec } from "../../../models/tensor/index.ts";
import type { ModelRepository, ModelState, ServedModel } from "../../plane/index.ts";
import type { Json } from "../protocol.ts";
import { SIGNATURE_NAME } from "./read-predict.ts";
import { awake, unlessUnloaded } from "../called-model.ts";

/** What a path names. */
export interface ModelPath {
  readonly name: string;
  readonly version?: string | undefined;
  readonly label?: string | undefined;
}

const STATES: Readonly<Record<ModelState, string>> = {
  standby: "AVAILABLE",
  ready: "AVAILABLE",
  loading: "LOADING",
  failed: "END",
  unloaded: "END",
  stopping: "UNLOADING",
};

/** Each model once, by its name. */
export function modelNames(models: ModelRepository): Json {
  const there = models.models.filter(({ state }) => state !== "unloaded");
  return { models: [...new Set(there.map(({ name }) => name))] };
}

/** The model of a path. @throws InferenceError `MODEL_NOT_FOUND`, also for a label that nobody gave, and when it is not loaded */
export function modelOf(models: ModelRepository, { name, version, label }: ModelPath): ServedModel {
  return unlessUnloaded(
    label === undefined ? models.model(name, version) : models.labelled(name, label),
  );
}

/**
 * The same for a call: versions share the calls that name none, and a model that loads with its first call is loaded.
 * @throws InferenceError `MODEL_NOT_FOUND`, and what the load throws
 */
export async function modelForCall(
  models: ModelRepository,
  { name, version, label }: ModelPath,
): Promise<ServedModel> {
  return awake(
    unlessUnloaded(
      label === undefined ? models.modelForCall(name, version) : models.labelled(name, label),
    ),
  );
}

/** Status of a model, or of one of its versions, as KServe and as TensorFlow Serving have it. */
export interface ModelStatus {
  /** True when it can be called. */
  readonly isReady: boolean;
  readonly document: Json;
}

/** @throws InferenceError `MODEL_NOT_FOUND` */
export function modelStatus(models: ModelRepository, path: ModelPath): ModelStatus {
  const model = modelOf(models, path);
  const isOne = path.version !== undefined || path.label !== undefined;
  const versions = isOne ? [model] : models.versions(path.name);
  return {
    isReady: model.isReady,
    document: {
      name: model.name,
      ready: model.isReady,
      model_version_status: versions.map(versionStatus).reverse(),
    },
  };
}

/** Highest versions come first in the list. */
function versionStatus({ version, state, isReady, reason }: ServedModel): Json {
  const isFine = isReady || state !== "failed";
  return {
    version,
    state: STATES[state],
    status: {
      error_code: isFine ? "OK" : "UNKNOWN",
      error_message: isFine ? "" : reason,
    },
  };
}

/** What the model takes and gives, as a signature of TensorFlow. @throws InferenceError `MODEL_NOT_READY` while it loads, and what a load throws */
export async function modelMetadata(model: ServedModel): Promise<Json> {
  await model.wake();
  const { name, version, predictor } = model;
  const { signature } = predictor.describe();
  return {
    model_spec: { name, signature_name: "", version },
    metadata: {
      signature_def: {
        signature_def: {
          [SIGNATURE_NAME]: {
            inputs: tensorInfos(signature?.inputs),
            outputs: tensorInfos(signature?.outputs),
            method_name: "tensorflow/serving/predict",
          },
        },
      },
    },
  };
}

function tensorInfos(specs: readonly TensorSpec[] = []): Json {
  return Object.fromEntries(
    specs.map(({ name, datatype, shape, isRankUnknown = false }) => [
      name,
      {
        dtype: DTYPES[datatype],
        tensor_shape: {
          dim: isRankUnknown ? [] : shape.map((size) => ({ size: String(size), name: "" })),
          unknown_rank: isRankUnknown,
        },
        name,
      },
    ]),
  );
}

/** Names of TensorFlow's types. @see tensorflow/core/framework/types.proto */
const DTYPES: Readonly<Record<Datatype, string>> = {
  BOOL: "DT_BOOL",
  INT8: "DT_INT8",
  INT16: "DT_INT16",
  INT32: "DT_INT32",
  INT64: "DT_INT64",
  UINT8: "DT_UINT8",
  UINT16: "DT_UINT16",
  UINT32: "DT_UINT32",
  UINT64: "DT_UINT64",
  FP16: "DT_HALF",
  BF16: "DT_BFLOAT16",
  FP32: "DT_FLOAT",
  FP64: "DT_DOUBLE",
  BYTES: "DT_STRING",
};
