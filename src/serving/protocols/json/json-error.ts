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
