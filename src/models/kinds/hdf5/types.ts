import { Hdf5Error, type Hdf5Source } from "./source.ts";

/** A datatype message, as far as shapes and attributes depend on it. */
export interface Hdf5Datatype {
  readonly form: "integer" | "float" | "text" | "variable-text" | "enum" | "other";
  /** Bytes of an element. */
  readonly size: number;
  readonly isSigned: boolean;
  readonly isBigEndian: boolean;
}

const MAX_AXES = 32;
const CLASSES = ["integer", "float", "other", "text", "other", "other", "other", "other", "enum"];

/** @see section IV.A.2.d, "The Datatype Message" */
export function readDatatype(source: Hdf5Source, start: number): Hdf5Datatype {
  const head = source.uint(start, 1);
  const flags = source.uint(start + 1, 3);
  const size = source.uint(start + 4, 4);
  const number = head & 0x0f;
  if (number > 11) throw new Hdf5Error(`a datatype has class ${number}`);
  const common = { size, isSigned: (flags & 8) !== 0, isBigEndian: (flags & 1) !== 0 };
  if (number === 9) return { ...common, form: (flags & 0x0f) === 1 ? "variable-text" : "other" };
  const form = CLASSES[number];
  if (form === "integer" || form === "float" || form === "text" || form === "enum")
    return { ...common, form };
  return { ...common, form: "other" };
}

/** Axes of a dataspace: none for a scalar, `[0]` for an empty one. @see section IV.A.2.b, "The Dataspace Message" */
export function readDataspace(source: Hdf5Source, start: number): readonly number[] {
  const version = source.uint(start, 1);
  const axes = source.uint(start + 1, 1);
  if (version !== 1 && version !== 2) throw new Hdf5Error(`a dataspace has version ${version}`);
  if (axes > MAX_AXES) throw new Hdf5Error(`a dataspace has ${axes} axes`);
  if (version === 2 && source.uint(start + 3, 1) === 2) return [0];
  const first = start + (version === 1 ? 8 : 4);
  return Array.from({ length: axes }, (_, index) =>
    source.length(first + index * source.lengthBytes),
  );
}
