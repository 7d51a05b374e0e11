/** Bytes that are no JSON; the caller turns it into its protocol's refusal. */
export class JsonError extends Error {
  /** Byte offset of the offending place. */
  readonly at: number;
  /** True for JSON that is refused for a limit of ours; another reader might take it. */
  readonly isLimit: boolean;

  constructor(why: string, at: number, isLimit = false) {
    super(why);
    this.at = at;
    this.isLimit = isLimit;
  }
}

/** Nesting beyond this is refused, so that hostile bodies cannot exhaust a stack, here or in a worker. */
export const MAX_DEPTH = 200;

/** Values of one text that become objects, each of which takes some fifty bytes; numbers in dense arrays are none of them. */
export const MAX_VALUES = 2_000_000;
