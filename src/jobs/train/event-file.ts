import { maskedCrc32c } from "./crc32c.ts";
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
    maskedCrc32c(buffer.subarray(at, at + 8)) !== buffer.readUInt32LE(at + 8) ||
    length > MAX_RECORD
  )
    return "damaged";
  const end = at + HEADER + length + TRAILER;
  if (buffer.length < end) return "partial";
  const data = buffer.subarray(at + HEADER, at + HEADER + length);
  return maskedCrc32c(data) === buffer.readUInt32LE(end - TRAILER) ? { data, end } : "damaged";
}

/** One field of a protobuf message: a number, or a piece of the message. */
type Field =
  | { readonly id: number; readonly kind: "varint"; readonly value: bigint }
  | { readonly id: number; readonly kind: "fixed32" | "fixed64" | "bytes"; readonly bytes: Buffer };

/** Fields of a message. @returns `undefined` when it is none. */
function fieldsOf(message: Buffer): readonly Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  while (at < message.length) {
    const key = varintAt(message, at);
    if (key === undefined) return undefined;
    const field = fieldAt(message, Number(key.value), key.end);
    if (field === undefined) return undefined;
    fields.push(field.field);
    at = field.end;
  }
  return fields;
}

function fieldAt(
  message: Buffer,
  key: number,
  start: number,
): { readonly field: Field; readonly end: number } | undefined {
  const id = Math.floor(key / 8);
  const wire = key % 8;
  if (wire === 0) {
    const value = varintAt(message, start);
    return value === undefined
      ? undefined
      : { field: { id, kind: "varint", value: value.value }, end: value.end };
  }
  const length =
    wire === 2
      ? varintAt(message, start)
      : { value: BigInt(wire === 1 ? 8 : wire === 5 ? 4 : -1), end: start };
  if (length === undefined || length.value < 0n) return undefined;
  const end = length.end + Number(length.value);
  if (end > message.length) return undefined;
  return {
    field: {
      id,
      kind: wire === 2 ? "bytes" : wire === 1 ? "fixed64" : "fixed32",
      bytes: message.subarray(length.end, end),
    },
    end,
  };
}

function varintAt(
  message: Buffer,
  start: number,
): { readonly value: bigint; readonly end: number } | undefined {
  let value = 0n;
  for (let index = 0; index < 10; index += 1) {
    const byte = message[start + index];
    if (byte === undefined) return undefined;
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return { value, end: start + index + 1 };
  }
  return undefined;
}

/** Event: step = 2, summary = 5; Summary: value = 1. */
function eventPoints(data: Buffer): readonly MetricPoint[] | undefined {
  const event = fieldsOf(data);
  if (event === undefined) return undefined;
  const step = event.find((field) => field.id === 2 && field.kind === "varint");
  const at = step?.kind === "varint" ? Number(BigInt.asIntN(64, step.value)) : 0;
  return messagesOf(event, 5)
    .flatMap((summary) => messagesOf(fieldsOf(summary) ?? [], 1))
    .flatMap((value) => valuePoints(value, at));
}

/** Summary.Value: tag = 1, simple_value = 2, tensor = 8. */
function valuePoints(message: Buffer, step: number): readonly MetricPoint[] {
  const fields = fieldsOf(message) ?? [];
  const name = messagesOf(fields, 1)[0]?.toString("utf8");
  const simple = fields.find((field) => field.id === 2 && field.kind === "fixed32");
  const tensor = messagesOf(fields, 8)[0];
  const value =
    simple !== undefined && "bytes" in simple
      ? simple.bytes.readFloatLE(0)
      : tensor === undefined
        ? undefined
        : scalarOf(tensor);
  return name === undefined || value === undefined || !Number.isFinite(value)
    ? []
    : [{ name, step, value }];
}

/** TensorProto: dtype = 1, tensor_content = 4, float_val = 5, double_val = 6; only a single number is a scalar. */
function scalarOf(tensor: Buffer): number | undefined {
  const fields = fieldsOf(tensor) ?? [];
  const dtype = fields.find((field) => field.id === 1 && field.kind === "varint");
  const type = dtype?.kind === "varint" ? Number(dtype.value) : 0;
  const raw = fields.flatMap((field) =>
    field.id >= 4 && field.id <= 6 && "bytes" in field ? [field.bytes] : [],
  )[0];
  if (raw === undefined) return undefined;
  if (type === DT_FLOAT && raw.length === 4) return raw.readFloatLE(0);
  return type === DT_DOUBLE && raw.length === 8 ? raw.readDoubleLE(0) : undefined;
}

function messagesOf(fields: readonly Field[], id: number): readonly Buffer[] {
  return fields.flatMap((field) =>
    field.id === id && field.kind === "bytes" ? [field.bytes] : [],
  );
}
