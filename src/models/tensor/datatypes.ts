import type { Datatype } from "./types.ts";

const ITEM_BYTES: Readonly<Record<Datatype, number>> = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  BF16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: 0,
};

/** Every datatype, in the order of the Open Inference Protocol; `BF16` behind `FP16`. */
export const DATATYPES: readonly Datatype[] = [
  "BOOL",
  "UINT8",
  "UINT16",
  "UINT32",
  "UINT64",
  "INT8",
  "INT16",
  "INT32",
  "INT64",
  "FP16",
  "BF16",
  "FP32",
  "FP64",
  "BYTES",
];

/** Bytes of one element; 0 for `BYTES`, whose elements differ in length. */
export function itemBytes(datatype: Datatype): number {
  return ITEM_BYTES[datatype];
}

/** True for text that names a datatype. */
export function isDatatype(text: string): text is Datatype {
  return Object.hasOwn(ITEM_BYTES, text);
}

/** True for integers and floating-point numbers, false for `BOOL` and `BYTES`. */
export function isNumeric(datatype: Datatype): boolean {
  return datatype !== "BOOL" && datatype !== "BYTES";
}
