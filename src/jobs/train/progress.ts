/** How far training is by its own words. */
export interface Progress {
  /** What is counted, such as `epoch`. */
  readonly unit: string;
  readonly done: number;
  readonly total: number;
}

/** Finds `epoch 3/10` and its like in printed text. */
export interface ProgressReader {
  push(text: string): void;
  /** `undefined` before anything was found. */
  current(): Progress | undefined;
}

const SAID =
  /\b(epoch|round|iteration|iter|step|batch)s?\b["']?[\s:=#[(]{0,3}(\d{1,9})\s?(?:\/|of)\s?(\d{1,9})\b/gi;
/** A bar as tqdm draws it: `45%|████▌     | 45/100 [`. */
const BAR = /\d{1,3}%\|[^|\n]{0,200}\|\s?(\d{1,9})\/(\d{1,9})\s?\[/g;
/** The coarser what is counted, the more it says of the whole. */
const COARSE: readonly string[] = ["epoch", "round", "iteration", "iter", "step", "batch", ""];
const MAX_REST = 1024;

/** Reads text piece by piece; of several counts the coarsest one is the whole's. */
export function createProgressReader(): ProgressReader {
  let rest = "";
  let best: Progress | undefined;
  const take = (unit: string, done: number, total: number): void => {
    const isCoarser = best === undefined || COARSE.indexOf(unit) <= COARSE.indexOf(best.unit);
    if (isCoarser && total > 0 && done <= total) best = { unit, done, total };
  };
  return {
    push(text) {
      const lines = `${rest}${text}`.split(/[\r\n]/);
      rest = (lines.pop() ?? "").slice(-MAX_REST);
      for (const line of lines) {
        for (const [, unit = "", done, total] of line.matchAll(SAID))
          take(unit.toLowerCase(), Number(done), Number(total));
        for (const [, done, total] of line.matchAll(BAR)) take("", Number(done), Number(total));
      }
    },
    current: () => best,
  };
}
