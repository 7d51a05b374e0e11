import { readMetricLine, type LineMetric } from "./metric-line.ts";

/** A number that training printed or wrote, at a step. */
export interface MetricPoint {
  readonly name: string;
  readonly step: number;
  readonly value: number;
}

/** Finds metrics in what a program prints, as it prints it. */
export interface MetricScanner {
  /** Takes a piece of output; lines may be cut anywhere. */
  push(text: string): readonly MetricPoint[];
  /** What the last line held, when no line end followed it. */
  end(): readonly MetricPoint[];
}

export interface ScannerOptions {
  /** Of several processes, the one whose lines count: its name as the launcher puts it before them. */
  readonly task?: string | undefined;
  /**
   * Forms of the user's own, each with a group `value` (else the first group), and perhaps groups `name` and `step`.
   * Where there are any, only they count.
   */
  readonly patterns?: readonly RegExp[] | undefined;
}

const MAX_LINE = 65_536;

/**
 * Reads the forms that frameworks print: `key=value`, JSON lines, PyTorch's examples, Keras, Hugging Face, Lightning,
 * nanoGPT, XGBoost, LightGBM, MXNet and Caffe. Steps are what the line says, else the epoch that began, else counted.
 */
export function createMetricScanner({ task, patterns }: ScannerOptions = {}): MetricScanner {
  let rest = "";
  let epoch: number | undefined;
  const counts = new Map<string, number>();
  const pointOf = ({ name, value }: LineMetric, step: number | undefined): MetricPoint => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return { name, value, step: step ?? count };
  };
  const read = (line: string): readonly MetricPoint[] => {
    const text = ownText(line, task);
    if (text === undefined) return [];
    if (patterns !== undefined && patterns.length > 0)
      return patterns.flatMap((pattern) => matchesOf(text, pattern, pointOf));
    const found = readMetricLine(text);
    epoch = found.epoch ?? epoch;
    // Keras names the epoch once, on a line before; its own line has no count.
    const step = found.step ?? (found.isEpochEnd === true ? epoch : undefined);
    return found.metrics.map((metric) => pointOf(metric, step));
  };
  return {
    push(text) {
      const lines = `${rest}${text}`.split(/\r\n|\r|\n/);
      rest = (lines.pop() ?? "").slice(0, MAX_LINE);
      return lines.flatMap(read);
    },
    end() {
      const last = rest;
      rest = "";
      return read(last);
    },
  };
}

function matchesOf(
  text: string,
  pattern: RegExp,
  pointOf: (metric: LineMetric, step: number | undefined) => MetricPoint,
): readonly MetricPoint[] {
  const match = pattern.exec(text);
  const groups = match?.groups;
  const value = Number(groups?.["value"] ?? match?.[1] ?? Number.NaN);
  const step = groups?.["step"] === undefined ? undefined : Number(groups["step"]);
  return Number.isFinite(value)
    ? [pointOf({ name: groups?.["name"] ?? "metric", value }, step)]
    : [];
}

function ownText(line: string, task: string | undefined): string | undefined {
  if (task === undefined) return line;
  return line.startsWith(`[${task}] `) ? line.slice(task.length + 3) : undefined;
}
