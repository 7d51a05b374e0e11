import {
  bytesOf,
  elementsOf,
  fromBrain,
  fromHalf,
  type Datatype,
  type NumberArray,
  type Tensor,
} from "../../../models/tensor/index.ts";
import type { Payload } from "../../plane/index.ts";
import { jsonText, type TextStyle } from "./json-text.ts";
import { ContractError } from "./user-error.ts";

/** What user code works with: nested lists for arrays, a string, bytes, or parsed JSON. */
export function valueOf(payload: Payload): unknown {
  switch (payload.kind) {
    case "tensor":
      return listsOf(payload.tensor);
    case "array":
    case "json":
    case "raw":
      return parseLoose(payload.json);
    case "text":
      return payload.text;
    case "bytes":
    case "proto":
    case "any":
      return payload.bytes;
    default:
      return payload satisfies never;
  }
}

/** The JSON that this protocol allows: NaN and the infinities may stand in it as bare words. */
export function parseLoose(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // NaN, the infinities, or no JSON at all: the other reader tells
    return parseWithWords(text);
  }
}

const WORD_KEY = "\u0000number";
/** A string, or one of the words. */
const STRING_OR_WORD = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g;

function parseWithWords(text: string): unknown {
  const marked = text.replaceAll(STRING_OR_WORD, (found) =>
    found.startsWith('"') ? found : JSON.stringify({ [WORD_KEY]: found }),
  );
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === "object" && value !== null && WORD_KEY in value
      ? Number(value[WORD_KEY])
      : value,
  );
}

/** Nested lists of numbers, truths or text. 64-bit integers are numbers where they are exact, else bigints. */
function listsOf(tensor: Tensor): unknown {
  const { datatype, shape } = tensor;
  const items =
    datatype === "BYTES"
      ? textsOf(tensor.data)
      : Array.from(elementsOf(tensor) as ArrayLike<number | bigint>, readerOf(datatype));
  let at = 0;
  const row = (depth: number): unknown => {
    const length = shape[depth];
    if (length === undefined) return items[at++];
    if (depth < shape.length - 1) return Array.from({ length }, () => row(depth + 1));
    at += length;
    return items.slice(at - length, at);
  };
  return row(0);
}

function readerOf(datatype: Datatype): (element: number | bigint) => unknown {
  if (datatype === "BOOL") return (element) => element !== 0;
  if (datatype === "FP16") return (element) => fromHalf(Number(element));
  if (datatype === "BF16") return (element) => fromBrain(Number(element));
  if (datatype === "INT64" || datatype === "UINT64")
    return (element) => (Number.isSafeInteger(Number(element)) ? Number(element) : element);
  return (element) => element;
}

function textsOf(data: Uint8Array): readonly string[] {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const texts: string[] = [];
  for (let at = 0; at + 4 <= bytes.byteLength;) {
    const size = bytes.readUInt32LE(at);
    texts.push(bytes.toString("utf8", at + 4, at + 4 + size));
    at += 4 + size;
  }
  return texts;
}

const TYPED: readonly (readonly [
  kind: abstract new (...args: never[]) => NumberArray,
  datatype: Datatype,
])[] = [
  [Float64Array, "FP64"],
  [Float32Array, "FP32"],
  [Int32Array, "INT32"],
  [BigInt64Array, "INT64"],
  [BigUint64Array, "UINT64"],
  [Int16Array, "INT16"],
  [Uint16Array, "UINT16"],
  [Uint32Array, "UINT32"],
  [Int8Array, "INT8"],
];

/**
 * What user code returned, as a payload: lists, typed arrays and `{data: typed array, shape}` are arrays; text, bytes and plain objects
 * are what they are.
 * @throws ContractError 400 for anything else
 */
export function payloadOf(value: unknown, style: TextStyle): Payload {
  if (typeof value === "string") return { kind: "text", text: value };
  if (value instanceof Uint8Array) return { kind: "bytes", bytes: Uint8Array.from(value) };
  if (Array.isArray(value)) return listPayload(value, style);
  const typed = typedTensor(value, undefined);
  if (typed !== undefined) return { kind: "tensor", tensor: typed };
  if (typeof value !== "object" || value === null)
    throw new ContractError(
      `Unknown data type returned as payload (must be list or np array):${String(value)}`,
    );
  const { data, shape, ...others } = value as { data?: unknown; shape?: unknown };
  const shaped =
    Array.isArray(shape) && Object.keys(others).length === 0
      ? typedTensor(data, shape as readonly unknown[])
      : undefined;
  return shaped === undefined
    ? { kind: "json", json: jsonText(value, style) }
    : { kind: "tensor", tensor: shaped };
}

/** Axes of an array payload as far as column names need them. */
export function axesOf(payload: Payload, value: unknown): readonly number[] {
  if (payload.kind === "tensor") return payload.tensor.shape;
  if (payload.kind !== "array" || !Array.isArray(value)) return [];
  const axes: number[] = [];
  for (let item: unknown = value; Array.isArray(item); item = (item as readonly unknown[])[0])
    axes.push(item.length);
  return axes;
}

function typedTensor(value: unknown, shape: readonly unknown[] | undefined): Tensor | undefined {
  const found = TYPED.find(([kind]) => value instanceof kind);
  if (found === undefined) return undefined;
  const elements = value as NumberArray; // one of the kinds above
  const axes = (shape ?? [elements.length]).map(Number);
  if (
    !axes.every((axis) => Number.isInteger(axis) && axis >= 0) ||
    axes.reduce((product, axis) => product * axis, 1) !== elements.length
  ) {
    throw new ContractError(
      `cannot reshape array of size ${elements.length} into shape (${axes.join(",")})`,
      500,
      "MICROSERVICE_INTERNAL_ERROR",
    );
  }
  return { name: "", datatype: found[1], shape: axes, data: Uint8Array.from(bytesOf(elements)) };
}

/** Rectangular lists of numbers or of truths are tensors; any other list is JSON. Whole numbers alone are integers. */
function listPayload(value: readonly unknown[], style: TextStyle): Payload {
  const shape: number[] = [];
  for (let item: unknown = value; Array.isArray(item); item = (item as readonly unknown[])[0])
    shape.push(item.length);
  const flat: unknown[] = [];
  const isRegular = flatten(value, shape, { depth: 0, flat });
  if (isRegular && flat.length > 0 && flat.every((item) => typeof item === "boolean"))
    return tensorOf("BOOL", shape, Uint8Array.from(flat, Number));
  if (!isRegular || !flat.every((item) => typeof item === "number"))
    return { kind: "array", json: jsonText(value, style) };
  const isInteger =
    flat.length > 0 && flat.every((item) => Number.isSafeInteger(item) && !Object.is(item, -0));
  return isInteger
    ? tensorOf("INT64", shape, BigInt64Array.from(flat, BigInt))
    : tensorOf("FP64", shape, Float64Array.from(flat));
}

function tensorOf(datatype: Datatype, shape: readonly number[], elements: NumberArray): Payload {
  return { kind: "tensor", tensor: { name: "", datatype, shape, data: bytesOf(elements) } };
}

/** False when rows are of unequal length or depth. */
function flatten(
  value: unknown,
  shape: readonly number[],
  into: { readonly depth: number; readonly flat: unknown[] },
): boolean {
  const { depth, flat } = into;
  if (depth === shape.length) {
    flat.push(value);
    return !Array.isArray(value);
  }
  return (
    Array.isArray(value) &&
    value.length === shape[depth] &&
    value.every((item) => flatten(item, shape, { depth: depth + 1, flat }))
  );
}
