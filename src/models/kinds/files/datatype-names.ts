import type { Signature, TensorSpec } from "../../tensor/index.ts";
import { isDatatype, type Datatype } from "../../tensor/index.ts";
import type { StatedTensor } from "../contracts.ts";

const DATATYPES: Readonly<Record<string, Datatype>> = {
  bool: "BOOL",
  uint8: "UINT8",
  uint16: "UINT16",
  uint32: "UINT32",
  uint64: "UINT64",
  int8: "INT8",
  int16: "INT16",
  int32: "INT32",
  int64: "INT64",
  float16: "FP16",
  half: "FP16",
  bfloat16: "BF16",
  float32: "FP32",
  float: "FP32",
  float64: "FP64",
  double: "FP64",
  long: "INT64",
  integer: "INT64",
  string: "BYTES",
};

/** A name of numpy, TensorFlow or MLflow as an Open Inference name; the name itself when there is none. */
export function datatypeNamed(name: string): string {
  return DATATYPES[name] ?? name;
}

function specOf(name: string, datatype: Datatype, shape: readonly number[] | null): TensorSpec {
  return shape === null
    ? { name, datatype, shape: [-1], isRankUnknown: true }
    : { name, datatype, shape };
}

/**
 * What requests are checked against: the tensors that a request can carry, those of unknown rank with one open axis.
 * @returns nothing when an input is of a type that no request carries.
 */
export function signatureOf(
  inputs: readonly StatedTensor[],
  outputs: readonly StatedTensor[],
): { readonly signature?: Signature } {
  const specs = (tensors: readonly StatedTensor[]): readonly TensorSpec[] =>
    tensors.flatMap(({ name, datatype = "", shape }) =>
      isDatatype(datatype) ? [specOf(name, datatype, shape)] : [],
    );
  const known = specs(inputs);
  if (known.length === 0 || known.length < inputs.length) return {};
  return {
    signature: { inputs: known, outputs: specs(outputs.filter(({ shape }) => shape !== null)) },
  };
}
