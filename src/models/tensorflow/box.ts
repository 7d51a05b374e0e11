import type { Extent } from "./tensor-entry.ts";

/** What two boxes share; `undefined` when it is nothing. A box without axes is one element. */
export function intersect(
  one: readonly Extent[],
  other: readonly Extent[],
): readonly Extent[] | undefined {
  if (one.length !== other.length) return undefined;
  const common: Extent[] = [];
  for (const [axis, a] of one.entries()) {
    const b = other[axis] ?? a;
    const start = Math.max(a.start, b.start);
    const length = Math.min(a.start + a.length, b.start + b.length) - start;
    if (length <= 0) return undefined;
    common.push({ start, length });
  }
  return common;
}

/** True when both boxes are the same. */
export function isSameBox(one: readonly Extent[], other: readonly Extent[]): boolean {
  return (
    one.length === other.length &&
    one.every((a, axis) => a.start === other[axis]?.start && a.length === other[axis].length)
  );
}

/** The elements from the first to the last of a box, counted in a larger box row by row. */
export function spanIn(outer: readonly Extent[], box: readonly Extent[]): Extent {
  const last = box.map(({ start, length }) => start + length - 1);
  const start = indexIn(
    outer,
    box.map((extent) => extent.start),
  );
  return { start, length: indexIn(outer, last) - start + 1 };
}

/** Cuts a box into pieces that follow each other row by row, until each is small. A single element counts as small. */
export function* splitBox(
  box: readonly Extent[],
  isSmall: (piece: readonly Extent[]) => boolean,
): Generator<readonly Extent[], void, undefined> {
  const axis = box.findIndex(({ length }) => length > 1);
  const extent = box[axis];
  if (extent === undefined || isSmall(box)) {
    yield box;
    return;
  }
  const half = extent.length >>> 1;
  const { start, length } = extent;
  yield* splitBox(box.with(axis, { start, length: half }), isSmall);
  yield* splitBox(box.with(axis, { start: start + half, length: length - half }), isSmall);
}

/** A box, and the two larger boxes that it is copied between. */
export interface BoxCopy {
  readonly box: readonly Extent[];
  readonly from: readonly Extent[];
  readonly to: readonly Extent[];
}

/** Calls `copyRun` for every run of elements that lies in one piece in both boxes, with their places counted row by row. */
export function copyBox(
  { box, from, to }: BoxCopy,
  copyRun: (from: number, to: number, count: number) => void,
): void {
  const place = box.map(({ start }) => start);
  const last = box.length - 1;
  const count = box[last]?.length ?? 1;
  for (;;) {
    copyRun(indexIn(from, place), indexIn(to, place), count);
    let axis = last - 1;
    for (; axis >= 0; axis -= 1) {
      const { start, length } = box[axis] ?? { start: 0, length: 1 };
      const next = (place[axis] ?? 0) + 1;
      place[axis] = next < start + length ? next : start;
      if (next < start + length) break;
    }
    if (axis < 0) return;
  }
}

function indexIn(outer: readonly Extent[], place: readonly number[]): number {
  return outer.reduce(
    (index, { start, length }, axis) => index * length + (place[axis] ?? 0) - start,
    0,
  );
}
