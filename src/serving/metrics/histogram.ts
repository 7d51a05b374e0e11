/** Counts of values in buckets; `bounds` are inclusive upper ends, ascending, without infinity. */
export class Histogram {
  readonly bounds: readonly number[];
  /** One more than `bounds`: the last counts what lies beyond. Not cumulative. */
  readonly counts: Float64Array;
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let low = 0;
    let high = this.bounds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value <= (this.bounds[middle] ?? Infinity)) high = middle;
      else low = middle + 1;
    }
    this.#count(low, value);
  }

  /** The same as numpy's `histogram` does it from 0 on: a value at a bound lies above it, and a negative one is in no bucket. */
  observeHalfOpen(value: number): void {
    const above = this.bounds.findIndex((bound) => value < bound);
    if (value < 0) this.sum += value;
    else this.#count(above < 0 ? this.bounds.length : above, value);
  }

  #count(bucket: number, value: number): void {
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sum += value;
    this.count += 1;
  }
}
