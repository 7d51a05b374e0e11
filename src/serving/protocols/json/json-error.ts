/** Bytes that are no JSON; the caller turns it into its protocol's refusal. */
export class JsonError extends Error {
  /** Byte offset of the offending place. */
  readonly at: number;

  constructor(why: string, at: number) {
    super(why);
    this.at = at;
  }
}

/** Nesting beyond this is refused, so that hostile bodies cannot exhaust a stack, here or in a worker. */
export const MAX_DEPTH = 200;

/** Values of one text that become objects, each of which takes some fifty bytes; numbers in dense arrays are none of them. */
export const MAX_VALUES = 2_000_000;
