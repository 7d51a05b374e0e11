import { WireError, WireReader } from "../../ground/wire/index.ts";
import { crc32c, maskCrc32c } from "../../ground/bytes/index.ts";
import type { MetricPoint } from "./metrics.ts";

/** Reads a TensorBoard event file while it grows. */
export interface EventReader {
  /** Takes the next bytes of the file. A record that is not whole yet is kept for the next call. */
  push(bytes: Uint8Array): readonly MetricPoint[];
  /** True once something was no event; the rest of the file is then left alone. */
  readonly isDamaged: boolean;
}

/** Longer records are images and graphs, or damage. */
const MAX_RECORD = 64 * 2 ** 20;
const HEADER = 12;
const TRAILER = 4;
const DT_FLOAT = 1;
const DT_DOUBLE = 2;
/** Tags are `field << 3 | wire type`. */
const EVENT = { step: (2 << 3) | 0, summary: (5 << 3) | 2 };
const SUMMARY = { value: (1 << 3) | 2 };
const VALUE = { tag: (1 << 3) | 2, simple: (2 << 3) | 5, tensor: (8 << 3) | 2 };
const TENSOR = {
  dtype: (1 << 3) | 0,
  contents: new Map<number, (reader: WireReader) => Buffer>([
    [(4 << 3) | 2, (reader) => reader.bytes()],
    [(5 << 3) | 2, (reader) => reader.bytes()],
    [(6 << 3) | 2, (reader) => reader.bytes()],
    [(5 << 3) | 5, (reader) => reader.fixed(4)],
    [(6 << 3) | 1, (reader) => reader.fixed(8)],
  ]),
};

/**
 * Scalars of an event file, by TFRecord framing with its checksums, and of each event the step and the summary's simple or
 * tensor values. What else events hold is passed over.
 * @see tensorflow, tsl/lib/io/record_reader; core/util/event.proto; core/framework/summary.proto
 */
export function createEventReader(): EventReader {
  let buffer = Buffer.alloc(0);
  let isDamaged = false;
  return {
    get isDamaged() {
      return isDamaged;
    },
    push(bytes) {
      if (isDamaged) return [];
      buffer = Buffer.concat([buffer, bytes]);
      const points: MetricPoint[] = [];
      let at = 0;
      for (;;) {
        const record = recordAt(buffer, at);
        if (record === "damaged") isDamaged = true;
        if (typeof record === "string") break;
        at = record.end;
        const found = eventPoints(record.data);
        if (found === undefined) {
          isDamaged = true;
          break;
        }
        points.push(...found);
      }
      buffer = Buffer.from(buffer.subarray(at));
      return points;
    },
  };
}

function recordAt(
  buffer: Buffer,
  at: number,
): { readonly data: Buffer; readonly end: number } | "partial" | "damaged" {
  if (buffer.length < at + HEADER) return "partial";
  const length = Number(buffer.readBigUInt64LE(at));
  if (
    maskCrc32c(crc32c(buffer.subarray(at, at + 8))) !== buffer.readUInt32LE(at + 8) ||
    length > MAX_RECORD
  )
    return "damaged";
  const end = at + HEADER + length + TRAILER;
  if (buffer.length < end) return "partial";
  const data = buffer.subarray(at + HEADER, at + HEADER + length);
  return maskCrc32c(crc32c(data)) === buffer.readUInt32LE(end - TRAILER)
    ? { data, end }
    : "damaged";
}

/** Points of one event; undefined when it is none. Event: step = 2, summary = 5; Summary: value = 1. */
function eventPoints(data: Buffer): readonly MetricPoint[] | undefined {
  try {
    const reader = new WireReader(data);
    const values: Buffer[] = [];
    let step = 0;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === EVENT.step) step = Number(reader.int64());
      else if (tag === EVENT.summary) values.push(...messagesIn(reader.bytes(), SUMMARY.value));
      else reader.skip(tag);
    }
    return values.flatMap((value) => valuePoints(value, step));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return undefined;
  }
}

/** Summary.Value: tag = 1, simple_value = 2, tensor = 8. */
function valuePoints(message: Buffer, step: number): readonly MetricPoint[] {
  const reader = new WireReader(message);
  let name: string | undefined;
  let simple: number | undefined;
  let tensor: number | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === VALUE.tag) name = reader.bytes().toString("utf8");
    else if (tag === VALUE.simple) simple = reader.float();
    else if (tag === VALUE.tensor) tensor = scalarOfTensor(reader.bytes());
    else reader.skip(tag);
  }
  const value = simple ?? tensor;
  return name === undefined || value === undefined || !Number.isFinite(value)
    ? []
    : [{ name, step, value }];
}

/** TensorProto: dtype = 1, tensor_content = 4, float_val = 5, double_val = 6; only a single number is a scalar. */
function scalarOfTensor(message: Buffer): number | undefined {
  const reader = new WireReader(message);
  let dtype = 0;
  let raw: Buffer | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    const content = TENSOR.contents.get(tag);
    if (tag === TENSOR.dtype) dtype = reader.int32();
    else if (content === undefined) reader.skip(tag);
    else {
      const bytes = content(reader);
      raw ??= bytes;
    }
  }
  if (dtype === DT_FLOAT && raw?.length === 4) return raw.readFloatLE(0);
  return dtype === DT_DOUBLE && raw?.length === 8 ? raw.readDoubleLE(0) : undefined;
}

function messagesIn(message: Buffer, wanted: number): readonly Buffer[] {
  const reader = new WireReader(message);
  const found: Buffer[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === wanted) found.push(reader.bytes());
    else reader.skip(tag);
  }
  return found;
}
