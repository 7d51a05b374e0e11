import { InferenceError } from "../../ground/errors/index.ts";
import { itemBytes } from "./datatypes.ts";
import { fromBrain, fromHalf, toBrain, toHalf } from "./halves.ts";
import type { Datatype, Tensor } from "./types.ts";

/** Elements of a tensor as the machine holds them; `FP16` and `BF16` as raw bits, `BOOL` as 0 and 1. */
export type NumberArray =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

type Constructor = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => NumberArray;

const CONSTRUCTORS: Readonly<Record<Exclude<Datatype, "BYTES">, Constructor>> = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  BF16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
};

/**
 * The elements of a tensor: a view where the bytes are aligned, else a copy. Little-endian machines only, as everything here.
 * @throws InferenceError `TENSOR_INVALID` for `BYTES`, and for a length that is no multiple of the element size.
 */
export function elementsOf(tensor: Pick<Tensor, "datatype" | "data" | "name">): NumberArray {
  const { datatype, data, name } = tensor;
  if (datatype === "BYTES")
    throw new InferenceError("TENSOR_INVALID", `read the tensor "${name}": BYTES are not numbers`, {
      tensor: name,
    });
  const size = itemBytes(datatype);
  if (data.byteLength % size !== 0)
    throw new InferenceError(
      "TENSOR_INVALID",
      `read the tensor "${name}": ${data.byteLength} bytes are no whole elements of ${datatype}`,
      { tensor: name },
    );
  const aligned = data.byteOffset % size === 0 ? data : new Uint8Array(data); // a Buffer's `slice` would not copy
  return new CONSTRUCTORS[datatype](aligned.buffer, aligned.byteOffset, data.byteLength / size);
}

/**
 * The elements as doubles; a view when they are doubles already. 64-bit integers beyond 2^53 are rounded.
 * @throws InferenceError `TENSOR_INVALID` for `BYTES`.
 */
export function toDoubles(tensor: Pick<Tensor, "datatype" | "data" | "name">): Float64Array {
  const elements = elementsOf(tensor);
  if (elements instanceof Float64Array) return elements;
  const doubles = new Float64Array(elements.length);
  const read =
    tensor.datatype === "FP16" ? fromHalf : tensor.datatype === "BF16" ? fromBrain : Number;
  for (let index = 0; index < doubles.length; index += 1)
    doubles[index] = read(elements[index] as number); // Number takes bigint too
  return doubles;
}

/** Bytes of a typed array, as a view. */
export function bytesOf(array: NumberArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/**
 * The same numbers in another datatype; the tensor itself when nothing changes.
 * @throws InferenceError `TENSOR_INVALID` where a number does not fit: a fraction or NaN into integers, 300 into UINT8, and `BYTES` either way.
 */
export function castTensor(tensor: Tensor, datatype: Datatype): Tensor {
  if (tensor.datatype === datatype) return tensor;
  if (datatype === "BYTES") throw castError(tensor, datatype, "numbers are not bytes");
  const from = elementsOf(tensor);
  const to = new CONSTRUCTORS[datatype](
    new ArrayBuffer(from.length * itemBytes(datatype)),
    0,
    from.length,
  );
  if (to instanceof Float64Array || to instanceof Float32Array) to.set(toDoubles(tensor));
  else if (datatype === "FP16" || datatype === "BF16")
    to.set(toDoubles(tensor).map(datatype === "FP16" ? toHalf : toBrain) as never); // both hold plain numbers
  else copyWhole({ tensor, datatype, from, to });
  return { ...tensor, datatype, data: bytesOf(to) };
}

function copyWhole({
  tensor,
  datatype,
  from,
  to,
}: {
  tensor: Tensor;
  datatype: Datatype;
  from: NumberArray;
  to: NumberArray;
}): void {
  const isHalf = tensor.datatype === "FP16" || tensor.datatype === "BF16";
  const source = isHalf ? toDoubles(tensor) : from;
  const isBig = to instanceof BigInt64Array || to instanceof BigUint64Array;
  for (let index = 0; index < source.length; index += 1) {
    const value = source[index] as number | bigint; // in range
    if (typeof value === "number" && !Number.isInteger(value))
      throw castError(tensor, datatype, `element ${index} is ${value}`);
    to[index] = (isBig ? BigInt(value) : Number(value)) as never; // the branch gives each array what it holds
    const got = to[index] as unknown as number | bigint;
    if (datatype === "BOOL" ? value != 0 && value != 1 : got != value)
      throw castError(tensor, datatype, `element ${index} is ${value}`); // eslint-disable-line eqeqeq -- number against bigint
  }
}

function castError(tensor: Tensor, datatype: Datatype, why: string): InferenceError {
  return new InferenceError(
    "TENSOR_INVALID",
    `convert the tensor "${tensor.name}" from ${tensor.datatype} to ${datatype}: ${why}`,
    {
      tensor: tensor.name,
      expected: datatype,
      actual: tensor.datatype,
    },
  );
}

/** Elements of `BYTES` data, in order, as views of it. A length that goes beyond the end ends the list: check the data first. */
export function byteItems(data: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const items: Uint8Array[] = [];
  for (let at = 0; at + 4 <= data.byteLength;) {
    const end = at + 4 + view.getUint32(at, true);
    items.push(data.subarray(at + 4, end));
    at = end;
  }
  return items;
}
