import { availableParallelism } from "node:os";
import { InferenceError } from "../../../ground/errors/index.ts";
import type { CallOptions } from "../../../ground/bytes/index.ts";
import type { ModelDescription } from "../../../models/description/index.ts";
import {
  castTensor,
  shapeText,
  type Signature,
  type Tensor,
  type TensorSpec,
} from "../../../models/tensor/index.ts";
import type { Component } from "../component.ts";
import type { Model } from "../contracts.ts";
import { createModelComponent } from "../model-component.ts";
import { ThreadPool } from "../threads/index.ts";
import type { OnnxThreadData } from "./onnx-thread.ts";

export interface OnnxOptions extends CallOptions {
  /** Calls that may wait for a thread. Default 1024. */
  readonly maxQueue?: number;
}

/**
 * Loads an ONNX file in `description.server.workers` threads (default 1), which share the cores among them. `run()` of
 * onnxruntime blocks its thread, so it never runs on the one that answers requests.
 * @throws InferenceError `MODEL_LOAD_FAILED`, `RUNTIME_MISSING`
 */
async function createOnnxModel(
  description: ModelDescription,
  options: OnnxOptions = {},
): Promise<Model & Pick<ThreadPool, "stats" | "abandon">> {
  const { name, modelPath, server } = description;
  if (modelPath === undefined)
    throw new InferenceError(
      "MODEL_LOAD_FAILED",
      `load the model "${name}": the description names no file`,
      { model: name },
    );
  const threads = server.workers ?? 1;
  const data: OnnxThreadData = {
    modelPath,
    intraOpThreads: Math.max(1, Math.floor(availableParallelism() / threads)),
  };
  const pool = new ThreadPool({
    ...{ model: name, file: "onnx-thread", folder: import.meta.dirname, data, threads },
    timeoutMs: server.timeoutMs ?? 60_000,
    maxQueue: options.maxQueue ?? 1024,
    toError: (error) =>
      new InferenceError("MODEL_FAILED", `call the model "${name}": ${String(error)}`, {
        model: name,
      }),
    onLog: () => undefined, // onnxruntime logs to standard error by itself
  });
  const signature = (await pool.start(options)) as Signature; // our own thread sends one
  return {
    signature,
    infer: async (inputs, call) => {
      const checked = signature.inputs.map((spec) => inputFor(spec, inputs));
      return (await pool.call(checked, [], call)) as readonly Tensor[]; // our own thread sends them
    },
    get stats() {
      return pool.stats;
    },
    abandon: () => pool.abandon(),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

/** The tensor for one input, in its datatype. An only input is taken whatever the tensor is called. */
function inputFor(spec: TensorSpec, inputs: readonly Tensor[]): Tensor {
  const found =
    inputs.find(({ name }) => name === spec.name) ?? (inputs.length === 1 ? inputs[0] : undefined);
  if (found === undefined) {
    throw new InferenceError(
      "TENSOR_INVALID",
      `call the model: the input "${spec.name}" is missing`,
      { tensor: spec.name, expected: spec.name, actual: inputs.map(({ name }) => name).join(", ") },
    );
  }
  const isFit =
    found.shape.length === spec.shape.length &&
    spec.shape.every((axis, index) => axis === -1 || axis === found.shape[index]);
  if (!isFit) {
    throw new InferenceError(
      "TENSOR_INVALID",
      `call the model: the input "${spec.name}" has shape ${shapeText(found.shape)}, and ${shapeText(spec.shape)} is wanted`,
      {
        tensor: spec.name,
        expected: shapeText(spec.shape),
        actual: shapeText(found.shape),
        hint: "-1 stands for any length",
      },
    );
  }
  return castTensor({ ...found, name: spec.name }, spec.datatype);
}

/** The same as a component of the class contract. @throws InferenceError `MODEL_LOAD_FAILED`, `RUNTIME_MISSING` */
export async function createOnnxComponent(
  description: ModelDescription,
  options: OnnxOptions = {},
): Promise<Component> {
  const model = await createOnnxModel(description, options);
  return {
    ...createModelComponent(model),
    get stats() {
      return model.stats;
    },
    abandon: () => model.abandon(),
  };
}
