/** What the runs of one contestant came to. All in the unit of the samples. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Distance between the quartiles. */
  readonly spread: number;
  readonly runs: number;
}

/** Median, range and interquartile distance of at least one sample. */
export function summarize(samples: readonly number[]): Summary {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    min: quantile(sorted, 0),
    max: quantile(sorted, 1),
    spread: quantile(sorted, 0.75) - quantile(sorted, 0.25),
    runs: sorted.length,
  };
}

function quantile(sorted: readonly number[], q: number): number {
  if (sorted.length === 0) throw new Error("no samples");
  const position = (sorted.length - 1) * q;
  const low = sorted[Math.floor(position)] ?? Number.NaN;
  const high = sorted[Math.ceil(position)] ?? Number.NaN;
  return low + (high - low) * (position - Math.floor(position));
}

/** Units of `y` per unit of `x`, and the standard error of that. */
export interface Slope {
  readonly slope: number;
  readonly error: number;
}

/**
 * Least squares through the means of blocks of `width` on the x axis: neighbouring samples are alike, so that an error made of them one by one
 * would be far too small. NaN for fewer than three blocks.
 */
export function fitSlope(
  points: readonly { readonly x: number; readonly y: number }[],
  width: number,
): Slope {
  const blocks = [...Map.groupBy(points, ({ x }) => Math.floor(x / width)).values()].map(
    (block) => ({ x: mean(block.map(({ x }) => x)), y: mean(block.map(({ y }) => y)) }),
  );
  if (blocks.length < 3) return { slope: Number.NaN, error: Number.NaN };
  const [meanX, meanY] = [mean(blocks.map(({ x }) => x)), mean(blocks.map(({ y }) => y))];
  const squares = blocks.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  const slope = blocks.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / squares;
  const rest = blocks.reduce((sum, { x, y }) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return { slope, error: Math.sqrt(rest / (blocks.length - 2) / squares) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
