/** How one output of a converted model compares on one set of inputs. */
export interface Difference {
  /** `random`, or the file of inputs. */
  readonly sample: string;
  readonly output: string;
  /** How many values were compared. */
  readonly count: number;
  /** Largest difference of two numbers. */
  readonly maxAbs?: number | undefined;
  /** Largest difference of two numbers by the size of the first, which counts as 1 at least. */
  readonly maxRel?: number | undefined;
  /** How many texts are not the same. */
  readonly different?: number | undefined;
  /** Why the values cannot be compared at all, such as another shape. */
  readonly why?: string | undefined;
}

/** Says how far two answers are apart, in a few words. */
export function differenceInWords({ count, maxAbs, maxRel, different, why }: Difference): string {
  if (why !== undefined) return why;
  if (different !== undefined) return `${different} of ${count} differ`;
  return `abs ${(maxAbs ?? 0).toExponential(1)}, rel ${(maxRel ?? 0).toExponential(1)} over ${count} values`;
}
