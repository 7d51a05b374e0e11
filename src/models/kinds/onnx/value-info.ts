import type { Datatype, TensorSpec } from "../../tensor/index.ts";
import { WireError, type WireField, type WireFile } from "../../../ground/wire/index.ts";

/** An input or output as the graph states it. */
export interface ValueInfo {
  readonly name: string;
  /** Absent for what is no tensor. */
  readonly spec?: TensorSpec;
  /** What it is instead, or why a tensor cannot be carried: `a sequence of maps`, `element type 17`. */
  readonly obstacle?: string;
  /** True when the file states no shape at all. */
  readonly isShapeUnknown: boolean;
  /** Names of the axes, `null` for those without one. */
  readonly axes?: readonly (string | null)[];
}

/** TensorProto.DataType by number. @see onnx/onnx.proto, TensorProto.DataType */
const DATATYPES: Readonly<Record<number, Datatype>> = {
  1: "FP32",
  2: "UINT8",
  3: "INT8",
  4: "UINT16",
  5: "INT16",
  6: "INT32",
  7: "INT64",
  8: "BYTES",
  9: "BOOL",
  10: "FP16",
  11: "FP64",
  12: "UINT32",
  13: "UINT64",
  16: "BF16",
};

/** TypeProto's alternatives that no request can carry, by field number. @see onnx/onnx.proto, TypeProto */
const OTHER_TYPES: Readonly<Record<number, string>> = {
  4: "a sequence",
  5: "a map",
  7: "an opaque value",
  8: "a sparse tensor",
  9: "an optional value",
};

const MAX_AXES = 64;

/** Reads a ValueInfoProto. @throws WireError. @see onnx/onnx.proto, ValueInfoProto */
export function readValueInfo(file: WireFile, field: WireField): ValueInfo {
  let name = "";
  let type: WireField | undefined;
  for (const part of file.inside(field)) {
    if (part.number === 1) name = file.text(part);
    if (part.number === 2) type = part;
  }
  if (name === "") throw new WireError("an input or output has no name");
  return type === undefined
    ? { name, obstacle: "a value of no stated type", isShapeUnknown: true }
    : readType(file, type, name);
}

function readType(file: WireFile, type: WireField, name: string): ValueInfo {
  for (const part of file.inside(type)) {
    if (part.number === 1) return readTensorType(file, part, name);
    const other = OTHER_TYPES[part.number];
    if (other !== undefined) return { name, obstacle: other, isShapeUnknown: false };
  }
  return { name, obstacle: "a value of no stated type", isShapeUnknown: true };
}

function readTensorType(file: WireFile, field: WireField, name: string): ValueInfo {
  let element = 0;
  let shape: Shape | undefined;
  for (const part of file.inside(field)) {
    if (part.number === 1) element = Number(file.int(part));
    if (part.number === 2) shape = readShape(file, part);
  }
  const datatype = DATATYPES[element];
  if (datatype === undefined)
    return {
      name,
      obstacle: `a tensor of element type ${element}`,
      isShapeUnknown: shape === undefined,
    };
  return {
    name,
    spec: { name, datatype, shape: shape?.lengths ?? [-1] },
    isShapeUnknown: shape === undefined,
    ...(shape !== undefined && { axes: shape.names }),
  };
}

interface Shape {
  readonly lengths: readonly number[];
  readonly names: readonly (string | null)[];
}

/** Axes of a TensorShapeProto: a length, or -1 for one that has a name or nothing. */
function readShape(file: WireFile, field: WireField): Shape {
  const lengths: number[] = [];
  const names: (string | null)[] = [];
  for (const part of file.inside(field)) {
    if (part.number !== 1) continue;
    if (lengths.length === MAX_AXES) throw new WireError(`a shape has more than ${MAX_AXES} axes`);
    const { length, name } = readAxis(file, part);
    lengths.push(length);
    names.push(name);
  }
  return { lengths, names };
}

function readAxis(
  file: WireFile,
  field: WireField,
): { readonly length: number; readonly name: string | null } {
  let length = -1n;
  let name: string | null = null;
  for (const part of file.inside(field)) {
    if (part.number === 1) length = file.int(part);
    if (part.number === 2) name = file.text(part);
  }
  if (length > BigInt(Number.MAX_SAFE_INTEGER)) throw new WireError(`an axis has length ${length}`);
  return { length: length > 0n ? Number(length) : -1, name };
}
