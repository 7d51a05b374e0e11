import type { SampleModel } from "./protocol.ts";

const MAX_NUMBERS = 64;

/** The header of a request in JSON, for the shell. */
export const JSON_HEADER = "-H 'Content-Type: application/json'";

type Input = NonNullable<NonNullable<SampleModel["signature"]>["inputs"]>[number];

/** Nested lists of zeros, or of empty text, in an input's shape; an axis that may be anything is 1. `[[…]]` for more than 64 values. */
export function zerosOf(input: Input | undefined): string {
  const shape: unknown = input?.shape;
  const axes: readonly unknown[] = Array.isArray(shape) ? shape : [1, 3];
  const sizes = axes.map((size) => (typeof size === "number" && size > 0 ? size : 1));
  if (sizes.reduce((product, size) => product * size, 1) > MAX_NUMBERS) return "[[…]]";
  const zero = input?.datatype === "BYTES" ? '""' : input?.datatype === "BOOL" ? "false" : "0";
  return sizes.reduceRight(
    (inner, size) => `[${Array.from({ length: size }, () => inner).join(",")}]`,
    zero,
  );
}
