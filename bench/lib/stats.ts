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
  return { median: quantile(sorted, 0.5), min: quantile(sorted, 0), max: quantile(sorted, 1), spread: quantile(sorted, 0.75) - quantile(sorted, 0.25), runs: sorted.length };
}

function quantile(sorted: readonly number[], q: number): number {
  if (sorted.length === 0) throw new Error("no samples");
  const position = (sorted.length - 1) * q;
  const low = sorted[Math.floor(position)] ?? Number.NaN;
  const high = sorted[Math.ceil(position)] ?? Number.NaN;
  return low + (high - low) * (position - Math.floor(position));
}
