import type { Datatype } from "../../../models/tensor/index.ts";

/** onnxruntime's names of element types, with ours. Those that are missing are not for tensors of numbers or text. */
const NAMES: ReadonlyMap<string, Datatype> = new Map([
  ["bool", "BOOL"],
  ["uint8", "UINT8"],
  ["uint16", "UINT16"],
  ["uint32", "UINT32"],
  ["uint64", "UINT64"],
  ["int8", "INT8"],
  ["int16", "INT16"],
  ["int32", "INT32"],
  ["int64", "INT64"],
  ["float16", "FP16"],
  ["bfloat16", "BF16"],
  ["float32", "FP32"],
  ["float64", "FP64"],
  ["string", "BYTES"],
]);
const BACK: ReadonlyMap<Datatype, string> = new Map(
  [...NAMES].map(([name, datatype]) => [datatype, name]),
);

export function datatypeOfOnnx(name: string): Datatype | undefined {
  return NAMES.get(name);
}

/** @throws Error for a datatype without a name, which cannot happen */
export function onnxOfDatatype(datatype: Datatype): string {
  const name = BACK.get(datatype);
  if (name === undefined) throw new Error(`no onnxruntime type for ${datatype}`);
  return name;
}
