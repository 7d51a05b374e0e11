import { once } from "node:events";
import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import type { InferenceSession, Tensor as OnnxTensor, TensorConstructor } from "onnxruntime-node";
import {
  elementsOf,
  type Signature,
  type Tensor,
  type TensorSpec,
} from "../../../models/tensor/index.ts";
import type { FromThread, ThreadStart, ToThread } from "../threads/index.ts";
import { datatypeOfOnnx, onnxOfDatatype } from "./onnx-types.ts";

/** What a thread needs to know. */
export interface OnnxThreadData {
  readonly modelPath: string;
  /** Threads within one run. */
  readonly intraOpThreads: number;
}

interface OnnxRuntime {
  readonly InferenceSession: {
    create(path: string, options: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: TensorConstructor;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** @param known - absent in a spare thread, which is told of its model later */
async function main(port: MessagePort, known: OnnxThreadData | undefined): Promise<void> {
  const send = (message: FromThread, transfer: ArrayBuffer[] = []): void =>
    port.postMessage(message, transfer);
  hideHalfFloats();
  const importing = importRuntime();
  const data = known ?? (await dataOfSpare(port)); // nobody listens to a spare thread before that
  const ort = await importing;
  if ("kind" in ort) {
    send(ort);
    return;
  }
  let session: InferenceSession;
  try {
    session = await ort.InferenceSession.create(data.modelPath, {
      intraOpNumThreads: data.intraOpThreads,
      graphOptimizationLevel: "all",
    });
  } catch (error) {
    send({
      kind: "failed",
      code: "MODEL_LOAD_FAILED",
      message: errorText(error),
      hint: "check the file with the onnx package's checker",
    });
    return;
  }
  port.on("message", ({ id, value }: ToThread) => {
    runSession(ort, session, value as readonly Tensor[]).then(
      // the other end sends tensors
      (outputs) =>
        send(
          { kind: "done", id, value: outputs },
          outputs.map(({ data: bytes }) => bytes.buffer as ArrayBuffer),
        ),
      (error: unknown) => send({ kind: "error", id, error: errorText(error) }),
    );
  });
  try {
    send({ kind: "ready", facts: signatureOf(session) });
  } catch (error) {
    send({ kind: "failed", code: "MODEL_LOAD_FAILED", message: errorText(error) });
  }
}

async function dataOfSpare(port: MessagePort): Promise<OnnxThreadData> {
  const [{ start }] = (await once(port, "message")) as [ThreadStart];
  return start as OnnxThreadData; // our own end sends it
}

/**
 * Where JavaScript has `Float16Array`, onnxruntime-node wants it for float16 tensors, and its binding cannot read it: "not enough space:
 * expected 4, got 0". Without it both sides take bits in a `Uint16Array`, which is what our tensors hold. This thread has nothing else.
 */
function hideHalfFloats(): void {
  Reflect.deleteProperty(globalThis, "Float16Array");
}

async function importRuntime(): Promise<OnnxRuntime | Extract<FromThread, { kind: "failed" }>> {
  try {
    const module: { default?: OnnxRuntime } & Partial<OnnxRuntime> =
      await import("onnxruntime-node");
    return (module.default ?? module) as OnnxRuntime; // a CommonJS module: everything is under `default`
  } catch (error) {
    return {
      kind: "failed",
      code: "RUNTIME_MISSING",
      message: `onnxruntime-node cannot be loaded: ${errorText(error)}`,
      hint: "npm install onnxruntime-node",
    };
  }
}

async function runSession(
  ort: OnnxRuntime,
  session: InferenceSession,
  inputs: readonly Tensor[],
): Promise<readonly Tensor[]> {
  const feeds = Object.fromEntries(inputs.map((tensor) => [tensor.name, toOnnx(ort, tensor)]));
  const names = session.outputMetadata.flatMap(specOf).map(({ name }) => name);
  const outputs = await session.run(feeds, names); // a sequence of maps, such as ZipMap gives, would fail the run
  return names.map((name) => {
    const output = outputs[name];
    if (output === undefined) throw new Error(`the output "${name}" is missing`);
    return fromOnnx(name, output);
  });
}

function toOnnx(ort: OnnxRuntime, tensor: Tensor): OnnxTensor {
  const { datatype, shape } = tensor;
  const data = datatype === "BYTES" ? textsOf(tensor.data) : elementsOf(tensor);
  return new ort.Tensor(onnxOfDatatype(datatype) as "float32", data as Float32Array, shape); // the type says which data it is
}

function fromOnnx(name: string, output: OnnxTensor): Tensor {
  const datatype = datatypeOfOnnx(output.type);
  if (datatype === undefined)
    throw new Error(`the output "${name}" is of type ${output.type}, which is not served`);
  const { data } = output;
  const bytes = Array.isArray(data)
    ? itemBytesOf(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  return { name, datatype, shape: [...output.dims], data: bytes };
}

function textsOf(data: Uint8Array): string[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const texts: string[] = [];
  for (let at = 0; at + 4 <= data.byteLength;) {
    const size = view.getUint32(at, true);
    texts.push(decoder.decode(data.subarray(at + 4, at + 4 + size)));
    at += 4 + size;
  }
  return texts;
}

function itemBytesOf(texts: readonly string[]): Uint8Array {
  const items = texts.map((text) => encoder.encode(text));
  const bytes = new Uint8Array(items.reduce((sum, item) => sum + 4 + item.byteLength, 0));
  let at = 0;
  for (const item of items) {
    new DataView(bytes.buffer).setUint32(at, item.byteLength, true);
    bytes.set(item, at + 4);
    at += 4 + item.byteLength;
  }
  return bytes;
}

/** Outputs that no tensor can carry are left out of every run. @throws Error where an input cannot be carried, or no output can */
function signatureOf(session: InferenceSession): Signature {
  const inputs = session.inputMetadata.map((meta) => {
    const [spec] = specOf(meta);
    if (spec !== undefined) return spec;
    throw new Error(`the input "${meta.name}" is ${meta.isTensor ? meta.type : "no tensor"}`);
  });
  const outputs = session.outputMetadata.flatMap(specOf);
  if (outputs.length === 0) throw new Error("none of its outputs is a tensor");
  return { inputs, outputs };
}

function specOf(meta: InferenceSession.ValueMetadata): readonly TensorSpec[] {
  if (!meta.isTensor) return [];
  const { name, shape } = meta;
  const datatype = datatypeOfOnnx(meta.type);
  if (datatype === undefined) return [];
  if (shape.length === 0) return [{ name, datatype, shape: [-1], isRankUnknown: true }]; // a scalar looks the same here
  return [{ name, datatype, shape: shape.map((axis) => (typeof axis === "number" ? axis : -1)) }];
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

if (parentPort !== null)
  void main(parentPort, (workerData ?? undefined) as OnnxThreadData | undefined); // only threads have a port; main reports its own failures
