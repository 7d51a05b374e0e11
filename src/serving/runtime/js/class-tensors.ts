import {
  byteItems,
  castTensor,
  elementCount,
  elementsOf,
  isDatatype,
  toDoubles,
  type Datatype,
  type NumberArray,
} from "../../../models/tensor/index.ts";
import { packItems, tensorOfList, type NamedTensor } from "../../plane/index.ts";
import { ContractError } from "./user-error.ts";

/** A tensor as classes of the typed contract get it, and may give it. */
export interface ClassTensor {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Elements row by row: 0 and 1 for `BOOL`, a `Float32Array` for `FP16` and `BF16`, bytes of each element for `BYTES`. */
  readonly data: NumberArray | readonly Uint8Array[];
}

/** A tensor for user code. */
export function classTensor(tensor: NamedTensor): ClassTensor {
  const { datatype, shape } = tensor;
  return { datatype, shape: [...shape], data: dataOf(tensor) };
}

function dataOf(tensor: NamedTensor): ClassTensor["data"] {
  const { datatype, data } = tensor;
  if (datatype === "BYTES") return byteItems(data).map((item) => Buffer.from(item));
  return datatype === "FP16" || datatype === "BF16"
    ? Float32Array.from(toDoubles(tensor))
    : elementsOf(tensor);
}

const encoder = new TextEncoder();
const DATATYPES: Readonly<Record<string, Datatype>> = {
  ...{ Uint8Array: "UINT8", Uint8ClampedArray: "UINT8", Buffer: "UINT8", Int8Array: "INT8" },
  ...{ Uint16Array: "UINT16", Int16Array: "INT16", Uint32Array: "UINT32", Int32Array: "INT32" },
  ...{ BigUint64Array: "UINT64", BigInt64Array: "INT64" },
  ...{ Float16Array: "FP16", Float32Array: "FP32", Float64Array: "FP64" },
};

/** True for `{ data, shape }` or `{ data, datatype }`, which is one tensor and not a record of several. */
export function isClassTensor(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === "object" &&
    value !== null &&
    "data" in value &&
    ("shape" in value || "datatype" in value) &&
    (ArrayBuffer.isView(value.data) || Array.isArray(value.data))
  );
}

/**
 * What user code gave as an output: a tensor, a typed array, or a value or nested lists of them.
 * @param declared - what the signature says, for lists, whose numbers have no datatype of their own
 * @throws ContractError for what is none of these; InferenceError `TENSOR_INVALID` for numbers that do not fit
 */
export function outputTensor(
  name: string,
  value: unknown,
  declared: Datatype | undefined,
): NamedTensor {
  const { data, shape, datatype } = isClassTensor(value)
    ? value
    : { data: value, shape: undefined, datatype: undefined };
  if (datatype !== undefined && (typeof datatype !== "string" || !isDatatype(datatype)))
    throw wrong(name, `the datatype ${JSON.stringify(datatype)}`);
  const wanted = datatype ?? declared;
  const flat = ArrayBuffer.isView(data)
    ? arrayTensor(name, data, datatype === undefined ? undefined : wanted)
    : listTensor(name, data, wanted);
  return shape === undefined ? flat : { ...flat, shape: checkShape(flat, shape) };
}

function arrayTensor(
  name: string,
  array: ArrayBufferView,
  datatype: Datatype | undefined,
): NamedTensor {
  const own = DATATYPES[array.constructor.name];
  if (own === undefined) throw wrong(name, `a ${array.constructor.name}`);
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const data = bytes.byteLength === bytes.buffer.byteLength ? bytes : Uint8Array.from(bytes); // only its own part is sent
  const size = array.byteLength / bytesPerElement(array);
  const tensor = { name, datatype: own, shape: [size], data };
  return datatype === undefined ? tensor : { ...castTensor(tensor, datatype), name };
}

function bytesPerElement(array: ArrayBufferView): number {
  return "BYTES_PER_ELEMENT" in array ? Number(array.BYTES_PER_ELEMENT) : 1;
}

function listTensor(name: string, value: unknown, datatype: Datatype | undefined): NamedTensor {
  const isLeaf = typeof value !== "object" && typeof value !== "function" && value !== undefined;
  if (!isLeaf && !Array.isArray(value))
    throw wrong(name, value === null ? "null" : `a value of the type ${typeof value}`);
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (datatype === "BYTES" || list.some((item) => ArrayBuffer.isView(item)))
    return bytesTensor(name, list);
  if (list.length === 0 && datatype !== undefined)
    return { name, datatype, shape: [0], data: new Uint8Array(0) };
  return { ...tensorOfList(name, value, datatype), name };
}

function bytesTensor(name: string, list: readonly unknown[]): NamedTensor {
  if (list.some(Array.isArray)) return { ...tensorOfList(name, list), name };
  const items = list.map((item) => {
    if (typeof item === "string") return encoder.encode(item);
    if (item instanceof Uint8Array) return item;
    throw wrong(name, "a list that mixes bytes with something else");
  });
  return { name, datatype: "BYTES", shape: [items.length], data: packItems(items) };
}

function checkShape(tensor: NamedTensor, shape: unknown): readonly number[] {
  const isShape =
    Array.isArray(shape) && shape.every((axis) => Number.isSafeInteger(axis) && Number(axis) >= 0);
  if (!isShape || elementCount(shape.map(Number)) !== elementCount(tensor.shape))
    throw wrong(
      tensor.name,
      `${elementCount(tensor.shape)} elements with the shape ${JSON.stringify(shape)}`,
    );
  return shape.map(Number);
}

function wrong(name: string, what: string): ContractError {
  return new ContractError(
    `predict gave ${what} as "${name}"; it has to give tensors, typed arrays or lists by name`,
    500,
    "MICROSERVICE_INTERNAL_ERROR",
  );
}
