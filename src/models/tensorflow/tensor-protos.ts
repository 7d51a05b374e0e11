import { WireError, WireReader } from "../../ground/wire/index.ts";
import type { Extent } from "./tensor-entry.ts";

/** TensorFlow's own bound is 254; nothing real comes near. */
const MAX_RANK = 254;

/** Reads a TensorShapeProto. An unknown size is -1, an unknown rank is `undefined`. */
export function parseShape(bytes: Buffer): readonly number[] | undefined {
  const reader = new WireReader(bytes);
  const sizes: number[] = [];
  let isKnown = true;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((2 << 3) | 2)) sizes.push(Number(dimensionOf(reader.bytes())));
    else if (tag === ((3 << 3) | 0)) isKnown = !reader.bool();
    else reader.skip(tag);
    if (sizes.length > MAX_RANK) throw new WireError(`a shape has more than ${MAX_RANK} axes`);
  }
  return isKnown ? sizes : undefined;
}

/** A shape that values have: all sizes known, and their product a number that a file can have. @throws WireError for others */
export function parseWholeShape(bytes: Buffer): readonly number[] {
  const shape = parseShape(bytes);
  if (shape === undefined || shape.some((size) => size < 0))
    throw new WireError("a tensor has no whole shape");
  if (shape.reduce((product, size) => product * Math.max(size, 1), 1) > Number.MAX_SAFE_INTEGER)
    throw new WireError("a tensor has more elements than anything can hold");
  return shape;
}

/** A TensorSliceProto over a shape: an extent without a length is the whole axis. @throws WireError when it leaves the shape */
export function parseSlice(bytes: Buffer, shape: readonly number[]): readonly SliceExtent[] {
  const reader = new WireReader(bytes);
  const extents: SliceExtent[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((1 << 3) | 2)) extents.push(extentOf(reader.bytes(), shape[extents.length] ?? 0));
    else reader.skip(tag);
    if (extents.length > shape.length) throw new WireError("a slice has more axes than its tensor");
  }
  if (extents.length !== shape.length)
    throw new WireError("a slice has fewer axes than its tensor");
  return extents;
}

/** An extent, and whether the file says only "the whole axis": keys tell the two apart. */
export interface SliceExtent extends Extent {
  readonly isWhole: boolean;
}

function extentOf(bytes: Buffer, size: number): SliceExtent {
  const reader = new WireReader(bytes);
  let start = 0;
  let length: number | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((1 << 3) | 0)) start = Number(reader.int64());
    else if (tag === ((2 << 3) | 0)) length = Number(reader.int64());
    else reader.skip(tag);
  }
  if (length === undefined) return { start: 0, length: size, isWhole: true };
  if (start < 0 || length < 0 || start + length > size)
    throw new WireError("a slice leaves its tensor");
  return { start, length, isWhole: false };
}

function dimensionOf(bytes: Buffer): bigint {
  const reader = new WireReader(bytes);
  let size = 0n;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((1 << 3) | 0)) size = reader.int64();
    else reader.skip(tag);
  }
  return size < -1n ? -1n : size;
}
