import { DATATYPES as TENSOR_DATATYPES, type Datatype } from "../../../models/tensor/index.ts";
import type { ComponentMethod, Payload } from "../../plane/index.ts";

/** Numbers of the worker protocol; `python/README.md` has the tables and `frames.py` the same numbers. */
export const PROTOCOL_VERSION = 2;

export const FRAME: Readonly<
  Record<"request" | "response" | "error" | "load" | "ready" | "log" | "release" | "cancel", number>
> = { request: 1, response: 2, error: 3, load: 4, ready: 5, log: 6, release: 7, cancel: 8 };

/** Index = number on the wire. */
export const METHODS: readonly ComponentMethod[] = [
  "predict",
  "transform-input",
  "transform-output",
  "route",
  "aggregate",
  "send-feedback",
  "health-status",
  "metadata",
];

/** The method whose messages are named tensors; the number after those of a graph. */
export const INFER: number = METHODS.length;
/** Several calls in one go, of components in one process. */
export const RUN: number = INFER + 1;

/** Index = number on the wire; 0 is a message without payload. */
export const KINDS: readonly (Payload["kind"] | "none")[] = [
  "none",
  "tensor",
  "array",
  "json",
  "text",
  "bytes",
  "raw",
  "proto",
  "any",
];

/**
 * Index = number on the wire, in the order of the Open Inference Protocol; 0 is for payloads that are not tensors.
 */
export const DATATYPES: readonly (Datatype | "")[] = ["", ...TENSOR_DATATYPES];

/** Bits of a request's, a response's and a message's flags. */
export const GRPC = 1;
export const IS_RAW = 1;
export const IS_ABSENT = 2;
/** Of an answer of named tensors: another one comes. */
export const HAS_MORE = 4;
/** The upper bits of a response's flags: rows of the joined call, in the first answer that it gave. */
export const JOINED_SHIFT = 8;
/** The upper bits of a request's flags: number of the component that is asked, in a process of several. */
export const COMPONENT_SHIFT = 8;
export const SHARED = 1;
export const DEFAULT_NAMES = 2;

/** Bytes of a frame's fixed part. */
export const HEADER_BYTES = 24;
/** Bytes of a message's fixed part. */
export const MESSAGE_BYTES = 16;
/** Bytes; the unit of places in shared memory. */
export const PAGE_BYTES = 4096;
export const MAX_AXES = 32;
export const MAX_MESSAGES = 1024;
/** Bytes; a longer frame ends the connection. */
export const MAX_FRAME_BYTES = 1_073_741_824;

const METHOD_NUMBERS: ReadonlyMap<ComponentMethod, number> = new Map(
  METHODS.map((name, index) => [name, index]),
);
const DATATYPE_NUMBERS: ReadonlyMap<string, number> = new Map(
  DATATYPES.map((name, index) => [name, index]),
);
const KIND_NUMBERS: ReadonlyMap<string, number> = new Map(
  KINDS.map((name, index) => [name, index]),
);

export function methodNumber(method: ComponentMethod): number {
  return METHOD_NUMBERS.get(method) ?? 0;
}

export function kindNumber(kind: Payload["kind"]): number {
  return KIND_NUMBERS.get(kind) ?? 0;
}

export function datatypeNumber(datatype: Datatype): number {
  return DATATYPE_NUMBERS.get(datatype) ?? 0;
}

/** A frame with one text and nothing else. */
export function textFrame(type: number, text: string): Buffer {
  const bytes = Buffer.byteLength(text, "utf8");
  const frame = Buffer.alloc(HEADER_BYTES + bytes);
  frame.writeUInt32LE(HEADER_BYTES - 4 + bytes, 0);
  frame[8] = type;
  frame.writeUInt32LE(bytes, 16);
  frame.write(text, HEADER_BYTES, "utf8");
  return frame;
}
