import { toDoubles, type Tensor } from "../tensor/index.ts";

/** One class of a row, with its score. */
export interface ClassScore {
  /** Place on the axis of classes. */
  readonly class: number;
  /** Absent where the class has no name. */
  readonly label?: string;
  readonly score: number;
}

export interface ClassQuestion {
  /** Names of classes by the output that has their scores. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
  /** Classes of a row, best first. */
  readonly top: number;
  /** True where a row of any numbers is to be read as scores. Default: names of classes, or numbers that add up to 1, say so. */
  readonly isAsked?: boolean;
}

/** A sum of rounded shares. */
const TOLERANCE = 1e-3;
const MIN_CLASSES = 2;

/**
 * The best classes of each row, where an output has scores of classes: fractions of shape `[rows, classes]`, axes of 1 behind them or not,
 * that have names, or that add up to 1 in each row. Undefined where none has. Of equal scores the lower class comes first; NaN is last.
 */
export function topClasses(
  outputs: readonly Tensor[],
  { labels, top, isAsked = false }: ClassQuestion,
): readonly (readonly ClassScore[])[] | undefined {
  const tables = outputs.flatMap((output) => tableOf(output) ?? []);
  const named = tables.find((table) => namesFor(table, labels) !== undefined);
  const chosen = named ?? tables.find(isShares) ?? (isAsked ? tables[0] : undefined);
  if (chosen === undefined) return undefined;
  const names = namesFor(chosen, labels);
  return rowsOf(chosen).map((scores) => bestOf(scores, top, names));
}

/** Those of the output itself, else the only list that there is, where it is as long as the output is wide. */
function namesFor(
  { name, width }: ScoreTable,
  labels: ClassQuestion["labels"],
): readonly string[] | undefined {
  if (Object.hasOwn(labels, name)) return labels[name];
  const [only, ...others] = Object.values(labels);
  return others.length === 0 && only?.length === width ? only : undefined;
}

/** Scores row by row. */
interface ScoreTable {
  readonly name: string;
  readonly values: Float64Array;
  readonly width: number;
}

function tableOf(output: Tensor): ScoreTable | undefined {
  const { name, datatype, shape } = output;
  if (!/^(?:FP|BF)/.test(datatype)) return undefined;
  const last = shape.findLastIndex((axis) => axis !== 1);
  const width = shape[last] ?? 1;
  if (last < 0 || last > 1 || width < MIN_CLASSES || (last === 0 && shape.length > 1))
    return undefined;
  return { name, values: toDoubles(output), width };
}

function rowsOf({ values, width }: ScoreTable): readonly Float64Array[] {
  return Array.from({ length: values.length / width }, (_, row) =>
    values.subarray(row * width, (row + 1) * width),
  );
}

function isShares(table: ScoreTable): boolean {
  const rows = rowsOf(table);
  return rows.length > 0 && rows.every(isShare);
}

function isShare(scores: Float64Array): boolean {
  const sum = scores.reduce((total, score) => total + score, 0);
  return Math.abs(sum - 1) < TOLERANCE && scores.every((score) => score >= -TOLERANCE);
}

function bestOf(
  scores: Float64Array,
  top: number,
  names: readonly string[] | undefined,
): readonly ClassScore[] {
  const rank = (index: number): number => {
    const score = scores[index] ?? Number.NaN;
    return Number.isNaN(score) ? -Infinity : score;
  };
  return Array.from(scores, (_, index) => index)
    .sort((a, b) => rank(b) - rank(a) || a - b)
    .slice(0, top)
    .map((index) => {
      const label = names?.[index];
      return {
        class: index,
        ...(label !== undefined && label !== "" && { label }),
        score: scores[index] ?? 0,
      };
    });
}
