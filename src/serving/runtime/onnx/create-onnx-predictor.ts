import { isUtf8 } from "node:buffer";
import { availableParallelism } from "node:os";
import { InferenceError } from "../../../ground/errors/index.ts";
import type { CallOptions } from "../../../ground/bytes/index.ts";
import type { ModelDescription } from "../../../models/description/index.ts";
import type { Signature, Tensor } from "../../../models/tensor/index.ts";
import {
  matchInputs,
  SERVER_DEFAULTS,
  wanted,
  type NamedTensor,
  type Predictor,
  type PredictorFacts,
} from "../../plane/index.ts";
import { SpareThreads, ThreadPool } from "../threads/index.ts";
import type { OnnxThreadData } from "./onnx-thread.ts";

export interface OnnxOptions extends CallOptions {
  /** Calls that may wait for a thread. Default 1024. */
  readonly maxQueue?: number;
  /** Threads that have onnxruntime loaded already; `spareOnnxThreads` makes them. */
  readonly spares?: SpareThreads | undefined;
}

/** Keeps a thread with onnxruntime ready, for models that load with their first call. */
export function spareOnnxThreads(): SpareThreads {
  return new SpareThreads(import.meta.dirname, THREAD_FILE);
}

const THREAD_FILE = "onnx-thread";

/** What onnxruntime says of inputs that it cannot tell from the signature; it has no codes. */
const NOT_TAKEN = /Invalid rank for input|Got invalid dimensions for input/;

/**
 * Loads an ONNX file in `description.server.workers` threads (default 1), which share the cores among them. `run()` of
 * onnxruntime blocks its thread, so it never runs on the one that answers requests.
 * @throws InferenceError `MODEL_LOAD_FAILED`, `RUNTIME_MISSING`
 */
export async function createOnnxPredictor(
  description: ModelDescription,
  options: OnnxOptions = {},
): Promise<Predictor> {
  const { name, modelPath, server } = description;
  if (modelPath === undefined)
    throw new InferenceError(
      "MODEL_LOAD_FAILED",
      `load the model "${name}": the description names no file`,
      { model: name },
    );
  const threads = server.workers ?? SERVER_DEFAULTS.workers;
  const data: OnnxThreadData = {
    modelPath,
    intraOpThreads: Math.max(1, Math.floor(availableParallelism() / threads)),
  };
  const pool = new ThreadPool({
    ...{ model: name, file: THREAD_FILE, folder: import.meta.dirname, data, threads },
    spares: options.spares,
    timeoutMs: server.timeoutMs ?? SERVER_DEFAULTS.timeoutMs,
    maxQueue: options.maxQueue ?? SERVER_DEFAULTS.maxQueue,
    toError: (error) =>
      new InferenceError(
        NOT_TAKEN.test(String(error)) ? "TENSOR_INVALID" : "MODEL_FAILED",
        `call the model "${name}": ${String(error)}`,
        { model: name },
      ),
    onLog: () => undefined, // onnxruntime logs to standard error by itself
  });
  const signature = (await pool.start(options)) as Signature; // our own thread sends one
  const facts: PredictorFacts = {
    signature,
    platform: "onnxruntime_onnx",
    takesTensors: true,
    takesRawBody: false,
    streams: false,
    joinsRows: [...signature.inputs, ...signature.outputs].every(
      ({ shape, isRankUnknown }) => shape[0] === -1 && isRankUnknown !== true,
    ),
    wantsHeaders: false,
  };
  return {
    describe: () => facts,
    infer: async (request) => {
      const inputs = matchInputs(request, signature, name);
      for (const input of inputs) checkText(input, name);
      const outputs = (await pool.call(inputs, [], request.caller)) as readonly NamedTensor[]; // our own thread sends them
      return wanted(request, outputs);
    },
    get stats() {
      return pool.stats;
    },
    abandon: () => pool.abandon(),
    [Symbol.asyncDispose]: async () => pool[Symbol.asyncDispose](),
  };
}

/** onnxruntime takes text as JavaScript strings: bytes that are none would come out as others. */
function checkText({ name: tensor, datatype, data }: Tensor, model: string): void {
  if (datatype !== "BYTES") return;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at + 4 <= data.byteLength;) {
    const end = at + 4 + view.getUint32(at, true);
    if (!isUtf8(data.subarray(at + 4, end)))
      throw new InferenceError(
        "TENSOR_INVALID",
        `call the model "${model}": the input "${tensor}" holds bytes that are no UTF-8, and an ONNX model takes text only`,
        { model, tensor, expected: "UTF-8", actual: "other bytes" },
      );
    at = end;
  }
}
