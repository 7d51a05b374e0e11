import { WireError } from "../../ground/wire/index.ts";

/** As many as JSON may have of each: objects that one thread hands to another one by one. */
export const MAX_NAMES = 65_536;
export const MAX_MESSAGES = 10_000;
export const MAX_TENSORS = 10_000;
export const MAX_PARAMETERS = 1000;
/** More than any array library takes. */
export const MAX_AXES = 1024;
/** Of the `meta` of one message. */
export const MAX_META_BYTES: number = 2 ** 20;

/** Adds to what a message repeats. @throws WireError when there are as many as may be */
export function addBounded<T>(items: T[], item: T, most: number, what: string): void {
  if (items.length >= most) throw tooMany(most, what);
  items.push(item);
}

export function tooMany(most: number, what: string): WireError {
  return new WireError(`too many ${what}: at most ${most} are taken`);
}
