import type { JsonReader } from "./json-reader.ts";

/** Numbers that are looked at together. */
const RUN = 4096;
const run = new Float64Array(RUN);

/**
 * Inside an array, where a value may begin: takes plain numbers and hands them to `put`, which says whether it took them all. When it did not,
 * the reader is where it was, and `0` is returned, so that one value after the other can be looked at.
 * @param room - how many may be taken at most
 * @param put - gets scratch space that is used again, and how many numbers of it count
 * @returns how many were taken
 */
export function takeRun(
  reader: JsonReader,
  room: number,
  put: (values: Float64Array, count: number) => boolean,
): number {
  const { at, depth } = reader;
  const space = room < RUN ? run.subarray(0, room) : run;
  const count = reader.numbers(space, 0);
  if (count === 0 || put(space, count)) return count;
  reader.rewind(at, depth);
  return 0;
}

/** Writes whole numbers that doubles hold exactly as 64-bit integers, low word first. @param words - two for each number */
export function writeWide(
  words: Int32Array,
  index: number,
  values: Float64Array,
  count: number,
): void {
  for (let at = 0; at < count; at += 1) {
    const value = values[at] ?? 0;
    const high = Math.floor(value / 4_294_967_296);
    words[2 * (index + at)] = value - high * 4_294_967_296;
    words[2 * (index + at) + 1] = high;
  }
}
