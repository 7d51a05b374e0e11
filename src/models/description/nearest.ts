/** The known name that a mistyped one is closest to, or `undefined` when none is near: at most a third of its letters differ. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const wanted = plain(name);
  const rated = known
    .map((candidate) => ({ candidate, distance: distanceOf(wanted, plain(candidate)) }))
    .toSorted((one, other) => one.distance - other.distance);
  const best = rated[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(wanted.length / 3))
    ? best.candidate
    : undefined;
}

/** `max_batch`, `max-batch` and `maxBatch` are one name. */
function plain(name: string): string {
  return name
    .slice(0, 64)
    .replaceAll(/[-_\s]/g, "")
    .toLowerCase();
}

/** Letters to insert, remove, replace or swap with their neighbour. @see Damerau-Levenshtein, optimal string alignment */
function distanceOf(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    const cell = (at: number, from: readonly number[] | undefined): number =>
      from?.[at] ?? Number.POSITIVE_INFINITY;
    for (let j = 1; j <= other.length; j += 1) {
      const isSame = one[i - 1] === other[j - 1];
      const isSwap = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      row.push(
        Math.min(
          cell(j, rows[i - 1]) + 1,
          cell(j - 1, row) + 1,
          cell(j - 1, rows[i - 1]) + (isSame ? 0 : 1),
          isSwap ? cell(j - 2, rows[i - 2]) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    rows.push(row);
  }
  return rows[one.length]?.[other.length] ?? Number.POSITIVE_INFINITY;
}
