import type { Machine } from "./machine.ts";
import { PickleError } from "./pickle-error.ts";
import { attributeOf, classOf, GlobalName, Made, type PickleValue } from "./values.ts";

/** joblib's stand-in for an array whose bytes follow in the file. */
export function isArrayWrapper(value: PickleValue): boolean {
  const name = classOf(value);
  return (
    name?.name === "NumpyArrayWrapper" && /^(?:sklearn\.externals\.)?joblib\./.test(name.module)
  );
}

const WRAPPER_KEYS: ReadonlySet<PickleValue> = new Set([
  "subclass",
  "shape",
  "order",
  "dtype",
  "allow_mmap",
  "numpy_array_alignment_bytes",
]);

/** What an array's stand-in says of the bytes that follow. */
export interface StoodFor {
  readonly dtype: Dtype;
  readonly axes: readonly number[];
  /** True when a byte that counts padding stands before the content. */
  readonly isPadded: boolean;
}

/** Takes the stand-in from the stack, and reads it. */
export function stoodFor(machine: Machine): StoodFor {
  const wrapper = machine.pop();
  const state = wrapper instanceof Made ? wrapper.state : undefined;
  const isOdd =
    !(wrapper instanceof Made) ||
    !(state instanceof Map) ||
    wrapper.isRebuilt ||
    machine.isLossy ||
    [...state.keys()].some((key) => !WRAPPER_KEYS.has(key));
  const shape = attributeOf(wrapper, "shape");
  const alignment = attributeOf(wrapper, "numpy_array_alignment_bytes") ?? 0;
  const axes = pickledList(shape).filter(
    (axis): axis is number => typeof axis === "number" && Number.isSafeInteger(axis) && axis >= 0,
  );
  if (isOdd || !Array.isArray(shape) || axes.length < shape.length || typeof alignment !== "number")
    throw new PickleError("an array is not written as joblib does");
  return { dtype: dtypeOf(attributeOf(wrapper, "dtype")), axes, isPadded: alignment !== 0 };
}

interface Dtype {
  /** Byte order, letter and count, such as `<f8`. */
  readonly code: string;
  readonly itemBytes: number;
  readonly hasObjects: boolean;
}

/** Kinds of numpy with their sizes, as numpy itself writes them. */
const TYPE_CODE = /^(?:b1|[iu][1248]|f(?:2|4|8|12|16)|c(?:8|16|24|32)|[mM]8|O8?|[SUV]\d{1,9})$/;

/** The numbers in numpy's type codes are bytes, but for text, where they count characters of four. @see numpy, "Data type objects" */
function dtypeOf(value: PickleValue): Dtype {
  if (!(value instanceof Made) || value.isRebuilt || !isNumpyDtype(value.callee))
    throw new PickleError("an array has no type");
  const [name] = pickledList(value.args);
  const [, order] = pickledList(value.state);
  if (typeof name !== "string" || !TYPE_CODE.test(name))
    throw new PickleError("an array has no type that is known");
  const itemBytes = Number(name.slice(1) || 8) * (name.startsWith("U") ? 4 : 1);
  return {
    code: `${typeof order === "string" ? order : "<"}${name}`,
    itemBytes,
    hasObjects: hasObjectsIn(name, itemBytes, pickledList(value.state)),
  };
}

/** Checks the state of a type against its name; of sized types numpy believes the state. */
function hasObjectsIn(name: string, itemBytes: number, state: readonly PickleValue[]): boolean {
  const [, , subarray, , , elementBytes = -1, , flags = 0] = state;
  const isSized = /^[SUV]/.test(name) && state.length > 0;
  if (typeof flags !== "number" || !isNothing(subarray) || (isSized && elementBytes !== itemBytes))
    throw new PickleError("an array has a type that contradicts itself");
  return name.startsWith("O") || (name.startsWith("V") && flags % 2 === 1); // the flag of a structure with references
}

function isNothing(value: PickleValue): boolean {
  return value === undefined || value === null;
}

function isNumpyDtype(callee: PickleValue): boolean {
  return callee instanceof GlobalName && callee.path === "numpy.dtype";
}

function pickledList(value: PickleValue): readonly PickleValue[] {
  return Array.isArray(value) ? value : [];
}
