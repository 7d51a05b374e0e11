import { itemBytes, type Datatype, type Tensor } from "../../../models/tensor/index.ts";
import type {
  ComponentMessage,
  ComponentResponse,
  InferResponse,
  NamedTensor,
  Parameters,
  ParameterValue,
  Payload,
} from "../../plane/index.ts";
import type { Arena } from "./arena.ts";
import { parseObject } from "./user-failure.ts";
import {
  DATATYPES,
  DEFAULT_NAMES,
  FRAME,
  HAS_MORE,
  HEADER_BYTES,
  INFER,
  IS_ABSENT,
  IS_RAW,
  JOINED_SHIFT,
  KINDS,
  MAX_AXES,
  MAX_FRAME_BYTES,
  MESSAGE_BYTES,
  SHARED,
} from "./wire.ts";

/** The worker sent something that is not a frame; the connection is of no use any more. */
export class FrameError extends Error {}

/** A frame without messages. */
export interface TextFrame {
  readonly type: "error" | "ready" | "log" | "release";
  readonly id: number;
  /** The level of a log line. */
  readonly method: number;
  readonly textA: Buffer;
  readonly textB: Buffer;
}

export type IncomingFrame =
  | TextFrame
  | {
      readonly type: "response";
      readonly id: number;
      readonly response: ComponentResponse;
      readonly page: number;
      readonly joinedRows: number;
    }
  | {
      readonly type: "tensors";
      readonly id: number;
      readonly response: InferResponse;
      /** Pages in shared memory that were read. */
      readonly pages: readonly number[];
      /** True when another answer to the same call comes. */
      readonly hasMore: boolean;
    };

const TEXT_TYPES: ReadonlyMap<number, TextFrame["type"]> = new Map([
  [FRAME.error, "error"],
  [FRAME.ready, "ready"],
  [FRAME.log, "log"],
  [FRAME.release, "release"],
]);
type Names = Pick<ComponentMessage, "names" | "namesJson">;

/** One message, cut out of its frame. */
interface Content {
  readonly kind: number;
  readonly datatype: number;
  readonly flags: number;
  readonly shape: readonly number[];
  readonly namesAt: number;
  readonly metaAt: number;
  readonly data: Buffer;
  /** First page in shared memory, or -1. */
  readonly page: number;
  readonly end: number;
}

const NO_NAMES: Names = { names: Object.freeze([]) };
const MAX_CACHED = 128;
/** A table without rows has columns all the same; more than this many are refused. */
const MAX_EMPTY_COLUMNS = 65_536;

/**
 * Cuts a byte stream into frames and decodes them. Every length is checked against the frame it stands in.
 * Payloads are copies, so that a small answer does not keep a whole read buffer alive.
 */
export class FrameReader {
  readonly #arena: Arena | undefined;
  readonly #names = new Map<string, Names>();
  readonly #defaults = new Map<number, readonly string[]>();
  #rest: Buffer[] = [];
  #restBytes = 0;
  #need = 4;

  constructor(arena: Arena | undefined) {
    this.#arena = arena;
  }

  /**
   * Takes the next chunk and gives every frame that is whole.
   * @throws FrameError when the bytes are no frames.
   */
  *frames(chunk: Buffer): Generator<IncomingFrame> {
    this.#rest.push(chunk);
    this.#restBytes += chunk.byteLength;
    if (this.#restBytes < this.#need) return;
    const buffer = this.#rest.length === 1 ? chunk : Buffer.concat(this.#rest, this.#restBytes);
    let at = 0;
    this.#need = 4;
    while (buffer.byteLength - at >= 4) {
      const length = buffer.readUInt32LE(at);
      if (length < HEADER_BYTES - 4 || length > MAX_FRAME_BYTES)
        throw new FrameError(`a frame of ${length} bytes`);
      if (at + 4 + length > buffer.byteLength) {
        this.#need = 4 + length;
        break;
      }
      yield this.#frame(buffer, at, at + 4 + length);
      at += 4 + length;
    }
    this.#rest = at === buffer.byteLength ? [] : [buffer.subarray(at)];
    this.#restBytes = buffer.byteLength - at;
  }

  #frame(buffer: Buffer, start: number, end: number): IncomingFrame {
    const type = buffer[start + 8];
    const id = buffer.readUInt32LE(start + 4);
    const aBytes = buffer.readUInt32LE(start + 16);
    const bBytes = buffer.readUInt32LE(start + 20);
    const textsAt = start + HEADER_BYTES;
    const messageAt = textsAt + aBytes + bBytes;
    const messages = buffer.readUInt16LE(start + 10);
    if (messageAt > end) throw new FrameError("texts beyond the end of their frame");
    if (type === FRAME.response && buffer[start + 9] === INFER)
      return this.#tensors(buffer, start, end);
    if (type === FRAME.response) return this.#response(buffer, start, end);
    const textType = TEXT_TYPES.get(type ?? 0);
    if (textType === undefined || messages !== 0 || messageAt !== end)
      throw new FrameError(`a frame of type ${type}`);
    return {
      type: textType,
      id,
      method: buffer[start + 9] ?? 0,
      textA: Buffer.from(buffer.subarray(textsAt, textsAt + aBytes)),
      textB: Buffer.from(buffer.subarray(textsAt + aBytes, messageAt)),
    };
  }

  #response(
    buffer: Buffer,
    start: number,
    end: number,
  ): Extract<IncomingFrame, { type: "response" }> {
    const messages = buffer.readUInt16LE(start + 10);
    if (messages !== 1) throw new FrameError(`a response with ${messages} messages`);
    const textsAt = start + HEADER_BYTES;
    const tagsEnd = textsAt + buffer.readUInt32LE(start + 16);
    const messageAt = tagsEnd + buffer.readUInt32LE(start + 20);
    const { message, page } = this.#message(buffer, messageAt, end);
    const flags = buffer.readUInt32LE(start + 12);
    return {
      type: "response",
      id: buffer.readUInt32LE(start + 4),
      page,
      joinedRows: flags >>> JOINED_SHIFT,
      response: {
        message,
        isRaw: (flags & IS_RAW) !== 0,
        ...((flags & IS_ABSENT) !== 0 && { isAbsent: true }),
        ...(tagsEnd > textsAt && { tags: buffer.toString("utf8", textsAt, tagsEnd) }),
        ...(messageAt > tagsEnd && { metrics: buffer.toString("utf8", tagsEnd, messageAt) }),
      },
    };
  }

  #tensors(
    buffer: Buffer,
    start: number,
    end: number,
  ): Extract<IncomingFrame, { type: "tensors" }> {
    const textBytes = buffer.readUInt32LE(start + 16);
    const count = buffer.readUInt16LE(start + 10);
    let at = start + HEADER_BYTES + textBytes + buffer.readUInt32LE(start + 20);
    const text = buffer.toString("utf8", start + HEADER_BYTES, start + HEADER_BYTES + textBytes);
    const outputs: NamedTensor[] = [];
    const pages: number[] = [];
    for (let index = 0; index < count; index += 1) {
      const found = this.#content(buffer, at, end);
      if (KINDS[found.kind] !== "tensor")
        throw new FrameError(`a message of kind ${found.kind} among tensors`);
      const name = buffer.toString("utf8", found.namesAt, found.metaAt);
      outputs.push({ ...tensorOf(found), name });
      if (found.page >= 0) pages.push(found.page);
      at = found.end;
    }
    if (at !== end) throw new FrameError("bytes after the last tensor of a frame");
    const parameters = textBytes === 0 ? undefined : parametersOf(text);
    return {
      type: "tensors",
      id: buffer.readUInt32LE(start + 4),
      response: { outputs, ...(parameters !== undefined && { parameters }) },
      pages,
      hasMore: (buffer.readUInt32LE(start + 12) & HAS_MORE) !== 0,
    };
  }

  #message(
    buffer: Buffer,
    start: number,
    end: number,
  ): { message: ComponentMessage; page: number } {
    const found = this.#content(buffer, start, end);
    if (found.end !== end) throw new FrameError("a message header that does not fit its frame");
    const { shape, data, page, namesAt, metaAt } = found;
    const hasDefaults = (found.flags & DEFAULT_NAMES) !== 0;
    const names = hasDefaults
      ? { names: this.#defaultNames(shape, data.byteLength) }
      : this.#namesOf(buffer, namesAt, metaAt);
    return { message: { payload: payloadOf(found), ...names }, page };
  }

  #content(buffer: Buffer, start: number, end: number): Content {
    if (start + MESSAGE_BYTES > end)
      throw new FrameError("a message header beyond the end of its frame");
    const kind = buffer.readUInt8(start);
    const datatype = buffer.readUInt8(start + 1);
    const axes = buffer.readUInt8(start + 2);
    const flags = buffer.readUInt8(start + 3);
    const shapeAt = start + MESSAGE_BYTES;
    const namesAt = shapeAt + 4 * axes;
    const metaAt = namesAt + buffer.readUInt32LE(start + 4);
    const dataAt = metaAt + buffer.readUInt32LE(start + 8);
    const size = buffer.readUInt32LE(start + 12);
    const isShared = (flags & SHARED) !== 0;
    const dataEnd = dataAt + (isShared ? 4 : size);
    if (axes > MAX_AXES || dataEnd > end)
      throw new FrameError("a message header that does not fit its frame");
    const shape: number[] = [];
    for (let at = shapeAt; at < namesAt; at += 4) shape.push(buffer.readUInt32LE(at));
    const page = isShared ? buffer.readUInt32LE(dataAt) : -1;
    const data = isShared
      ? this.#shared(page, size)
      : Buffer.from(buffer.subarray(dataAt, dataEnd));
    return { kind, datatype, flags, shape, namesAt, metaAt, data, page, end: dataEnd };
  }

  #shared(page: number, size: number): Buffer {
    const data = this.#arena?.read(page, size);
    if (data === undefined) throw new FrameError("shared data beyond the end of the file");
    return data;
  }

  /** `t:0`, `t:1`, …; the same frozen array for the same count. */
  #defaultNames(shape: readonly number[], bytes: number): readonly string[] {
    const count = shape[1] ?? 0;
    let names = this.#defaults.get(count);
    if (names === undefined) {
      if (count > Math.max(bytes, MAX_EMPTY_COLUMNS))
        throw new FrameError(`default names for ${count} columns`);
      if (this.#defaults.size >= 16) this.#defaults.clear();
      names = Object.freeze(Array.from({ length: count }, (_, index) => `t:${index}`));
      this.#defaults.set(count, names);
    }
    return names;
  }

  #namesOf(buffer: Buffer, start: number, end: number): Names {
    if (start === end) return NO_NAMES;
    const text = buffer.toString("utf8", start, end);
    let names = this.#names.get(text);
    if (names === undefined) {
      names = parseNames(text);
      if (this.#names.size >= MAX_CACHED) this.#names.clear();
      this.#names.set(text, names);
    }
    return names;
  }
}

/** What Python writes for numbers that JSON does not have. */
const NOT_FINITE = /NaN|Infinity/;
const QUOTED = /"(?:[^"\\]|\\.)*"/g;
const QUOTED_OR_NOT_FINITE = /"(?:[^"\\]|\\.)*"|NaN|-?Infinity/g;

function parseNames(text: string): Names {
  let value: unknown;
  const isBare = NOT_FINITE.test(text) && NOT_FINITE.test(text.replaceAll(QUOTED, ""));
  try {
    value = JSON.parse(
      isBare
        ? text.replaceAll(QUOTED_OR_NOT_FINITE, (token) =>
            token.startsWith('"') ? token : `"${token}"`,
          )
        : text,
    );
  } catch (error) {
    throw new FrameError("names that are no JSON", { cause: error });
  }
  const items: readonly unknown[] = Array.isArray(value)
    ? value
    : typeof value === "string"
      ? Array.from(value)
      : typeof value === "object"
        ? Object.keys(value ?? {})
        : []; // what Python iterates over
  const isPlain = !isBare && items === value && items.every((name) => typeof name === "string");
  return {
    names: Object.freeze(
      items.map((name) => (typeof name === "string" ? name : JSON.stringify(name))),
    ),
    ...(!isPlain && { namesJson: text }),
  };
}

/** Text A of an answer of tensors. */
function parametersOf(text: string): Parameters {
  const value = parseObject(text);
  return Object.fromEntries(
    Object.entries(value).filter(
      (entry): entry is [string, ParameterValue] =>
        typeof entry[1] === "string" ||
        typeof entry[1] === "number" ||
        typeof entry[1] === "boolean",
    ),
  );
}

function payloadOf(raw: Content): Payload {
  const kind = KINDS[raw.kind];
  if (kind === "tensor") return { kind, tensor: tensorOf(raw) };
  if (kind === "bytes" || kind === "proto" || kind === "any") return { kind, bytes: raw.data };
  if (kind === "text") return { kind, text: raw.data.toString("utf8") };
  if (kind === undefined || kind === "none") throw new FrameError(`payload kind ${raw.kind}`);
  const datatype = kind === "array" ? DATATYPES[raw.datatype] : undefined;
  if (datatype !== undefined && datatype !== "")
    return { kind: "array", json: raw.data.toString("utf8"), datatype };
  return { kind, json: raw.data.toString("utf8") };
}

function tensorOf({ datatype: number, shape, data }: Content): Tensor {
  const datatype = DATATYPES[number];
  if (datatype === undefined || datatype === "") throw new FrameError(`datatype ${number}`);
  checkSize(datatype, shape, data.byteLength);
  return { name: "", datatype, shape, data };
}

function checkSize(datatype: Datatype, shape: readonly number[], bytes: number): void {
  const want = shape.reduce((product, axis) => product * axis, itemBytes(datatype));
  if (datatype !== "BYTES" && want !== bytes)
    throw new FrameError(`${bytes} bytes for shape [${shape.join(",")}] of ${datatype}`);
}
