import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { InferenceError } from "../../errors/index.ts";
import type { CallOptions } from "../../internal/index.ts";
import type { ModelDescription } from "../../model/index.ts";
import { castTensor, isNumeric, shapeText, type Tensor, type TensorSpec } from "../../tensor/index.ts";
import type { Component, ComponentMessage, ComponentRequest, ComponentResponse } from "../component.ts";
import type { ThreadAnswer, ThreadCall, WireTensor } from "./thread-messages.ts";

export interface OnnxOptions extends CallOptions {
  /** Threads inside one call. Default: the processors of this machine, at most 4. */
  readonly intraOpThreads?: number;
  /** Calls that may wait. Default 1024. */
  readonly maxQueue?: number;
}

interface Waiter {
  readonly resolve: (outputs: readonly WireTensor[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * An ONNX model in a thread of its own. Takes the one input of the model as a tensor or numeric array, cast to the model's datatype, and
 * gives the scores (the output of two axes and floats, else the last one).
 * @throws InferenceError `RUNTIME_MISSING`, `MODEL_LOAD_FAILED`; from `call` `TENSOR_INVALID`, `REQUEST_INVALID`, `MODEL_FAILED`, `OVERLOADED`, `MODEL_TIMEOUT`, `WORKER_CRASHED`.
 */
export async function createOnnxComponent(description: ModelDescription, options: OnnxOptions = {}): Promise<Component> {
  const model = description.name;
  const waiting = new Map<number, Waiter>();
  const worker = startThread(description, options);
  const ready = await firstAnswer(worker, { model, signal: options.signal });
  let nextId = 0;
  let isGone = false;
  worker.on("message", (answer: ThreadAnswer) => settle(waiting, answer, model));
  worker.on("exit", () => {
    isGone = true;
    for (const { reject } of waiting.values()) reject(new InferenceError("WORKER_CRASHED", `run the model "${model}": its thread ended`, { model }));
    waiting.clear();
  });
  const send = (input: Tensor): Promise<readonly WireTensor[]> => {
    if (isGone) throw new InferenceError("WORKER_CRASHED", `run the model "${model}": its thread ended`, { model });
    if (waiting.size >= (options.maxQueue ?? 1024)) throw new InferenceError("OVERLOADED", `run the model "${model}": ${waiting.size} calls are waiting`, { model });
    const id = (nextId += 1);
    const data = input.data.slice().buffer;
    const call: ThreadCall = { id, inputs: [{ name: input.name, datatype: input.datatype, shape: input.shape, data }] };
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      worker.postMessage(call, [data]);
    });
  };
  const timeoutMs = description.server.timeoutMs ?? 60_000;
  return {
    facts: { methods: ["predict"] },
    async call(request, callOptions = {}) {
      const input = inputOf(request, ready.inputs, model);
      const outputs = await inTime(send(input), { timeoutMs, model, signal: callOptions.signal });
      return responseOf(outputs, model);
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}

function startThread(description: ModelDescription, options: OnnxOptions): Worker {
  if (description.modelPath === undefined) throw new InferenceError("MODEL_LOAD_FAILED", `load the model "${description.name}": its description names no file`, { model: description.name });
  // Unbuilt source, compiled package, bundle of the image.
  const file = ["onnx-thread.ts", "onnx-thread.js", "onnx-thread.mjs"].map((name) => new URL(name, import.meta.url)).find((url) => existsSync(fileURLToPath(url)));
  if (file === undefined) throw new InferenceError("RUNTIME_MISSING", `load the model "${description.name}": the ONNX thread is not installed`, { model: description.name });
  return new Worker(file, { workerData: { modelPath: description.modelPath, intraOpThreads: options.intraOpThreads ?? Math.min(4, availableParallelism()) } });
}

async function firstAnswer(worker: Worker, { model, signal }: { readonly model: string; readonly signal: AbortSignal | undefined }): Promise<Extract<ThreadAnswer, { kind: "ready" }>> {
  const stop = (): void => void worker.terminate();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const answer = await new Promise<ThreadAnswer>((resolve) => {
      worker.once("message", resolve);
      worker.once("error", (error) => resolve({ kind: "failed", reason: "load", message: error.message }));
      worker.once("exit", () => resolve({ kind: "failed", reason: "load", message: "its thread ended" }));
    });
    signal?.throwIfAborted();
    if (answer.kind === "ready") return answer;
    await worker.terminate();
    const message = answer.kind === "failed" ? answer.message : "its thread answered out of turn";
    if (answer.kind === "failed" && answer.reason === "missing") {
      throw new InferenceError("RUNTIME_MISSING", `load the model "${model}": onnxruntime-node is not installed`, { model, hint: "run `npm install onnxruntime-node` beside slipway" });
    }
    throw new InferenceError("MODEL_LOAD_FAILED", `load the model "${model}": ${message}`, { model });
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

function settle(waiting: Map<number, Waiter>, answer: ThreadAnswer, model: string): void {
  if (answer.kind !== "done" && answer.kind !== "error") return;
  const waiter = waiting.get(answer.id);
  waiting.delete(answer.id);
  if (answer.kind === "done") waiter?.resolve(answer.outputs);
  else waiter?.reject(new InferenceError("MODEL_FAILED", `run the model "${model}": ${answer.message}`, { model }));
}

async function inTime<T>(task: Promise<T>, { timeoutMs, model, signal }: { readonly timeoutMs: number; readonly model: string; readonly signal: AbortSignal | undefined }): Promise<T> {
  const limit = AbortSignal.timeout(timeoutMs);
  const stop = signal === undefined ? limit : AbortSignal.any([limit, signal]);
  const aborted = new Promise<never>((_, reject) => {
    const fail = (): void => reject(limit.aborted ? new InferenceError("MODEL_TIMEOUT", `run the model "${model}": no answer after ${timeoutMs} ms`, { model }) : stop.reason);
    if (stop.aborted) fail();
    else stop.addEventListener("abort", fail, { once: true });
  });
  return Promise.race([task, aborted]);
}

/** The request's tensor under the model's own input name and datatype. */
function inputOf(request: ComponentRequest, inputs: readonly TensorSpec[], model: string): Tensor {
  const payload = request.messages[0]?.payload;
  const spec = inputs[0];
  if (request.method !== "predict") throw new InferenceError("REQUEST_INVALID", `run the model "${model}": an ONNX model only predicts`, { model });
  if (spec === undefined || inputs.length !== 1) {
    throw new InferenceError("UNSUPPORTED", `run the model "${model}": it has ${inputs.length} inputs, and this protocol carries one`, { model });
  }
  if (payload?.kind !== "tensor" || !isNumeric(payload.tensor.datatype)) throw new InferenceError("REQUEST_INVALID", `run the model "${model}": the request holds no numbers`, { model, tensor: spec.name });
  const { tensor } = payload;
  const fits = tensor.shape.length === spec.shape.length && spec.shape.every((axis, index) => axis === -1 || axis === tensor.shape[index]);
  if (!fits) {
    throw new InferenceError("TENSOR_INVALID", `run the model "${model}": input "${spec.name}" has shape ${shapeText(tensor.shape)}, and ${shapeText(spec.shape)} is wanted`, {
      model, tensor: spec.name, expected: shapeText(spec.shape), actual: shapeText(tensor.shape),
    });
  }
  return { ...castTensor(tensor, spec.datatype), name: spec.name };
}

function responseOf(outputs: readonly WireTensor[], model: string): ComponentResponse {
  const chosen = outputs.find(({ datatype, shape }) => shape.length === 2 && datatype.startsWith("FP")) ?? outputs.at(-1);
  if (chosen === undefined) throw new InferenceError("UNSUPPORTED", `run the model "${model}": none of its outputs is a tensor of numbers`, { model });
  const columns = chosen.shape.length > 1 ? (chosen.shape[1] ?? 0) : 0;
  const message: ComponentMessage = {
    payload: { kind: "tensor", tensor: { name: chosen.name, datatype: chosen.datatype, shape: chosen.shape, data: new Uint8Array(chosen.data) } },
    names: Array.from({ length: columns }, (_, index) => `t:${index}`),
  };
  return { message, isRaw: false };
}
