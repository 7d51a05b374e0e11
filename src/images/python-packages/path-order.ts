/** Sorts by the bytes of the paths in UTF-8, as a layer and a record want them. */
export function inByteOrder<T extends { readonly path: string }>(
  items: readonly T[],
): readonly T[] {
  return items.toSorted((left, right) => compareUtf8(left.path, right.path));
}

/**
 * Orders texts as their UTF-8 bytes would be. That is the order of code points; JavaScript's own differs where a surrogate pair meets
 * a character from U+E000 on. Encoding to compare would leave megabytes of garbage for every sort of a large package.
 */
export function compareUtf8(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const [one, other] = [left.charCodeAt(index), right.charCodeAt(index)];
    if (one === other) continue;
    return rank(one) - rank(other);
  }
  return left.length - right.length;
}

/** Halves of pairs stand for code points above all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
