import {
  formatTraceparent,
  isRaw,
  type ComponentMessage,
  type ComponentRequest,
  type InferRequest,
  type NamedTensor,
  type Payload,
} from "../../plane/index.ts";
import type { Arena } from "./arena.ts";
import type { WorkerCall } from "./worker-call.ts";
import {
  COMPONENT_SHIFT,
  datatypeNumber,
  FRAME,
  GRPC,
  HEADER_BYTES,
  INFER,
  kindNumber,
  MAX_AXES,
  MAX_FRAME_BYTES,
  MAX_MESSAGES,
  MESSAGE_BYTES,
  methodNumber,
  RUN,
  SHARED,
} from "./wire.ts";

const STAGING_BYTES = 64 * 1024;
const MAX_ID_CHARACTERS = 128;
const NO_SHAPE: readonly number[] = [];
const NO_BYTES = new Uint8Array(0);
const TENSOR = kindNumber("tensor");

/** One message, ready for the wire. */
interface Content {
  readonly kind: number;
  readonly datatype: number;
  readonly shape: readonly number[];
  readonly namesText: string;
  readonly meta: string;
  readonly data: Uint8Array;
}

type Addressee = Pick<Extract<WorkerCall, { kind: "graph" }>, "component" | "run">;

/** A request that cannot be put on the wire, with the reason. */
export class UnsendableError extends Error {}

/**
 * Builds frames one behind the other in staging buffers, so that all frames of a tick leave in one write.
 * Payloads of `inlineCopyBytes` and more are not copied into the staging buffer but passed on by reference.
 */
export class FrameWriter {
  readonly #arena: Arena | undefined;
  readonly #sharedFrom: number;
  #staging: Buffer = Buffer.allocUnsafeSlow(STAGING_BYTES);
  #start = 0;
  #at = 0;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  /** Payloads of `sharedFrom` bytes and more go through the arena, when there is one. */
  constructor(arena: Arena | undefined, sharedFrom: number) {
    this.#arena = arena;
    this.#sharedFrom = sharedFrom;
  }

  /** Bytes that wait for `take`. */
  get pendingBytes(): number {
    return this.#bytes + this.#at - this.#start;
  }

  /** Everything written since the last call, in order. */
  take(): Uint8Array[] {
    this.#cut();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    return chunks;
  }

  /**
   * @param to - which of the process's components is asked, or what the calls of a run are
   * @throws UnsendableError when a bound of the protocol is passed; nothing has been written then.
   */
  request(id: number, request: ComponentRequest, to: Addressee = {}): void {
    checkRequest(request);
    const { component = 0, run } = to;
    const mark = this.pendingBytes;
    const requestId = (request.requestId ?? "").slice(0, MAX_ID_CHARACTERS);
    const isPlain =
      request.reward === undefined && request.routing === undefined && request.trace === undefined;
    const extra = run ?? (isPlain ? "" : extraOf(request));
    this.#reserve(HEADER_BYTES + 3 * (requestId.length + extra.length));
    const head = this.#staging;
    const headAt = this.#at;
    this.#at += HEADER_BYTES;
    const idBytes = this.#text(requestId);
    const extraBytes = this.#text(extra);
    head.writeUInt32LE(id, headAt + 4);
    head[headAt + 8] = FRAME.request;
    head[headAt + 9] = run === undefined ? methodNumber(request.method) : RUN;
    head.writeUInt16LE(request.messages.length, headAt + 10);
    const grpc = request.transport === "grpc" ? GRPC : 0;
    head.writeUInt32LE(grpc | (component << COMPONENT_SHIFT), headAt + 12);
    head.writeUInt32LE(idBytes, headAt + 16);
    head.writeUInt32LE(extraBytes, headAt + 20);
    for (const message of request.messages) this.#message(message);
    head.writeUInt32LE(this.pendingBytes - mark - 4, headAt);
  }

  /** A request on named tensors. @throws UnsendableError when a bound of the protocol is passed; nothing has been written then. */
  infer(id: number, request: InferRequest, component = 0): void {
    const { inputs } = request;
    if (isRaw(inputs)) throw new UnsendableError("a body as it comes, and the class takes tensors");
    checkTensors(inputs);
    const mark = this.pendingBytes;
    const requestId = (request.id ?? "").slice(0, MAX_ID_CHARACTERS);
    const extra = inferExtraOf(request);
    this.#reserve(HEADER_BYTES + 3 * (requestId.length + extra.length));
    const head = this.#staging;
    const headAt = this.#at;
    this.#at += HEADER_BYTES;
    const idBytes = this.#text(requestId);
    const extraBytes = this.#text(extra);
    head.writeUInt32LE(id, headAt + 4);
    head[headAt + 8] = FRAME.request;
    head[headAt + 9] = INFER;
    head.writeUInt16LE(inputs.length, headAt + 10);
    head.writeUInt32LE(component << COMPONENT_SHIFT, headAt + 12);
    head.writeUInt32LE(idBytes, headAt + 16);
    head.writeUInt32LE(extraBytes, headAt + 20);
    for (const tensor of inputs) this.#tensor(tensor);
    head.writeUInt32LE(this.pendingBytes - mark - 4, headAt);
  }

  /** Says that nobody waits for the answers of a call any more. */
  cancel(id: number): void {
    this.text(FRAME.cancel, NO_BYTES, id);
  }

  /** A frame with one text: LOAD, RELEASE. */
  text(type: number, text: Uint8Array, id = 0): void {
    this.#reserve(HEADER_BYTES);
    this.#staging.fill(0, this.#at, this.#at + HEADER_BYTES);
    this.#staging.writeUInt32LE(HEADER_BYTES - 4 + text.byteLength, this.#at);
    this.#staging.writeUInt32LE(id, this.#at + 4);
    this.#staging[this.#at + 8] = type;
    this.#staging.writeUInt32LE(text.byteLength, this.#at + 16);
    this.#at += HEADER_BYTES;
    this.#data(text);
  }

  #message({ payload, names, meta = "" }: ComponentMessage): void {
    const isTensor = payload.kind === "tensor";
    this.#content({
      kind: kindNumber(payload.kind),
      datatype: isTensor ? datatypeNumber(payload.tensor.datatype) : 0,
      shape: isTensor ? payload.tensor.shape : NO_SHAPE,
      namesText: names.length === 0 ? "" : JSON.stringify(names),
      meta,
      data: bytesOf(payload),
    });
  }

  #tensor({ name, datatype, shape, data, parameters }: NamedTensor): void {
    this.#content({
      kind: TENSOR,
      datatype: datatypeNumber(datatype),
      shape,
      namesText: name,
      meta: parameters === undefined ? "" : JSON.stringify(parameters),
      data,
    });
  }

  #content({ kind, datatype, shape, namesText, meta, data }: Content): void {
    this.#reserve(MESSAGE_BYTES + 4 * shape.length + 3 * (namesText.length + meta.length));
    const head = this.#staging;
    const headAt = this.#at;
    this.#at += MESSAGE_BYTES;
    head[headAt] = kind;
    head[headAt + 1] = datatype;
    head[headAt + 2] = shape.length;
    for (const axis of shape) this.#at = head.writeUInt32LE(axis, this.#at);
    head.writeUInt32LE(this.#text(namesText), headAt + 4);
    head.writeUInt32LE(this.#text(meta), headAt + 8);
    const page = this.#share(data);
    head[headAt + 3] = page < 0 ? 0 : SHARED;
    head.writeUInt32LE(data.byteLength, headAt + 12);
    if (page < 0) this.#data(data);
    else {
      this.#reserve(4);
      this.#at = this.#staging.writeUInt32LE(page, this.#at);
    }
  }

  /** The page in shared memory where `data` was put, or -1 when it belongs inside the frame. */
  #share(data: Uint8Array): number {
    return this.#arena !== undefined && data.byteLength >= this.#sharedFrom
      ? this.#arena.write(data)
      : -1;
  }

  #text(text: string): number {
    if (text === "") return 0;
    const count = this.#staging.write(text, this.#at, "utf8");
    this.#at += count;
    return count;
  }

  #data(data: Uint8Array): void {
    if (data.byteLength > STAGING_BYTES / 4) {
      this.#cut();
      this.#chunks.push(data);
      this.#bytes += data.byteLength;
      return;
    }
    this.#reserve(data.byteLength);
    this.#staging.set(data, this.#at);
    this.#at += data.byteLength;
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#staging.byteLength) return;
    this.#cut();
    this.#staging = Buffer.allocUnsafeSlow(Math.max(STAGING_BYTES, count));
    this.#start = this.#at = 0;
  }

  #cut(): void {
    if (this.#at === this.#start) return;
    this.#chunks.push(this.#staging.subarray(this.#start, this.#at));
    this.#bytes += this.#at - this.#start;
    this.#start = this.#at;
  }
}

function extraOf(request: ComponentRequest): string {
  const { reward, routing, trace } = request;
  const traceparent = trace === undefined ? undefined : formatTraceparent(trace);
  const text = reward === undefined || Number.isFinite(reward) ? reward : String(reward); // JSON has no number for it, and Python reads the text as a float
  return JSON.stringify({ reward: text, routing, traceparent });
}

function inferExtraOf({
  parameters,
  outputs,
  headers,
  trace,
  isJson,
  isStreamed,
}: InferRequest): string {
  if (
    parameters === undefined &&
    outputs === undefined &&
    headers === undefined &&
    trace === undefined &&
    isJson !== true &&
    isStreamed !== true
  )
    return "";
  const traceparent = trace === undefined ? undefined : formatTraceparent(trace);
  return JSON.stringify({ parameters, outputs, headers, traceparent, isJson, isStreamed });
}

function bytesOf(payload: Payload): Uint8Array {
  switch (payload.kind) {
    case "tensor":
      return payload.tensor.data;
    case "array":
    case "json":
    case "raw":
      return Buffer.from(payload.json, "utf8");
    case "text":
      return Buffer.from(payload.text, "utf8");
    case "bytes":
    case "proto":
    case "any":
      return payload.bytes;
    default:
      return payload satisfies never;
  }
}

/** Approximate size of a request's payloads in bytes, for limits on what is in flight. */
export function payloadBytes(request: ComponentRequest): number {
  let total = 0;
  for (const { payload } of request.messages) {
    if (payload.kind === "tensor") total += payload.tensor.data.byteLength;
    else if ("bytes" in payload) total += payload.bytes.byteLength;
    else total += "json" in payload ? payload.json.length : payload.text.length;
  }
  return total;
}

/** The same for a request on named tensors. */
export function inputBytes({ inputs }: Pick<InferRequest, "inputs">): number {
  if (isRaw(inputs)) return inputs.bytes.byteLength;
  return inputs.reduce((sum, { data }) => sum + data.byteLength, 0);
}

function checkRequest(request: ComponentRequest): void {
  checkCount(request.messages.length, "messages");
  for (const { payload } of request.messages)
    if (payload.kind === "tensor") checkShape(payload.tensor.shape);
  checkBytes(payloadBytes(request));
}

function checkTensors(inputs: readonly NamedTensor[]): void {
  checkCount(inputs.length, "tensors");
  for (const { shape } of inputs) checkShape(shape);
  checkBytes(inputBytes({ inputs }));
}

function checkCount(count: number, what: string): void {
  if (count > MAX_MESSAGES)
    throw new UnsendableError(`${count} ${what}, at most ${MAX_MESSAGES} go into one call`);
}

function checkShape(shape: readonly number[]): void {
  if (shape.length > MAX_AXES)
    throw new UnsendableError(`${shape.length} axes, at most ${MAX_AXES} are possible`);
  if (!shape.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < 2 ** 32))
    throw new UnsendableError(`shape [${shape.join(",")}] is not possible`);
}

function checkBytes(bytes: number): void {
  if (bytes * 3 > MAX_FRAME_BYTES && bytes > MAX_FRAME_BYTES - 2 ** 20)
    throw new UnsendableError(`${bytes} bytes, at most ${MAX_FRAME_BYTES} go into one call`);
}
