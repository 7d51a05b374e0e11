import { InferenceError } from "../../ground/errors/index.ts";
import { bytesOf, castTensor, type Datatype } from "../../models/tensor/index.ts";
import type { NamedTensor } from "./contracts.ts";

const MAX_AXES = 32;
const encoder = new TextEncoder();

/**
 * Nested lists of one kind of leaf as a tensor: booleans are BOOL, integers INT64, numbers with a fraction FP64, text and bytes BYTES.
 * Another datatype is converted to where every number fits. A single leaf has the shape `[1]`.
 * @param value - as `JSON.parse` gives it; integers beyond 2^53 as bigint
 * @throws InferenceError `TENSOR_INVALID` for lists that are ragged, too deep, or mix kinds of leaves
 */
export function tensorOfList(name: string, value: unknown, datatype?: Datatype): NamedTensor {
  const shape: number[] = [];
  const leaves: unknown[] = [];
  collect({ name, shape, leaves }, Array.isArray(value) ? value : [value], 0);
  const tensor = { name, shape, ...packed(name, leaves) };
  return datatype === undefined ? tensor : castTensor(tensor, datatype);
}

interface Collected {
  readonly name: string;
  readonly shape: number[];
  readonly leaves: unknown[];
}

function collect(into: Collected, list: readonly unknown[], depth: number): void {
  if (depth >= MAX_AXES) throw invalidList(into.name, `it is nested deeper than ${MAX_AXES} lists`);
  const isFirst = into.shape.length === depth && into.leaves.length === 0;
  if (isFirst) into.shape.push(list.length);
  else if (into.shape[depth] !== list.length)
    throw invalidList(into.name, "its lists differ in length");
  const rows = list.filter((item) => Array.isArray(item));
  if (rows.length === 0) {
    if (into.shape.length !== depth + 1) throw invalidList(into.name, "its lists differ in depth");
    for (const item of list) into.leaves.push(item);
  } else if (rows.length !== list.length) throw invalidList(into.name, "it mixes lists and values");
  else for (const row of rows) collect(into, row, depth + 1);
}

function packed(
  name: string,
  leaves: readonly unknown[],
): { readonly datatype: Datatype; readonly data: Uint8Array } {
  if (leaves.length > 0 && leaves.every((leaf) => typeof leaf === "boolean"))
    return { datatype: "BOOL", data: Uint8Array.from(leaves, Number) };
  if (leaves.length > 0 && leaves.every((leaf) => typeof leaf === "string"))
    return { datatype: "BYTES", data: packItems(leaves.map((leaf) => encoder.encode(leaf))) };
  if (!leaves.every((leaf) => typeof leaf === "number" || typeof leaf === "bigint"))
    throw invalidList(name, "it mixes numbers with something else");
  if (
    leaves.length > 0 &&
    leaves.every((leaf) => typeof leaf === "bigint" || Number.isSafeInteger(leaf))
  )
    return packedIntegers(name, leaves.map(BigInt));
  return { datatype: "FP64", data: bytesOf(Float64Array.from(leaves, Number)) };
}

/** Within 64 bits; without a sign only where one of them needs it. */
function packedIntegers(
  name: string,
  values: readonly bigint[],
): { readonly datatype: Datatype; readonly data: Uint8Array } {
  if (values.every((value) => BigInt.asIntN(64, value) === value))
    return { datatype: "INT64", data: bytesOf(BigInt64Array.from(values)) };
  if (values.every((value) => BigInt.asUintN(64, value) === value))
    return { datatype: "UINT64", data: bytesOf(BigUint64Array.from(values)) };
  throw invalidList(name, "it has integers that no 64 bits hold");
}

/** Elements of a BYTES tensor as its data: a u32 with the length before each. */
export function packItems(items: readonly Uint8Array[]): Uint8Array {
  const data = new Uint8Array(items.reduce((sum, item) => sum + 4 + item.byteLength, 0));
  const view = new DataView(data.buffer);
  let at = 0;
  for (const item of items) {
    view.setUint32(at, item.byteLength, true);
    data.set(item, at + 4);
    at += 4 + item.byteLength;
  }
  return data;
}

function invalidList(name: string, why: string): InferenceError {
  return new InferenceError("TENSOR_INVALID", `read the tensor "${name}": ${why}`, {
    tensor: name,
  });
}
