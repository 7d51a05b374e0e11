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
}

const NUMBER = String.raw`[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?`;
const PAIR = new RegExp(
  String.raw`(?<![^\s,;|[{(])([A-Za-z_][\w./-]{0,63})\s?=\s?(${NUMBER})(?![\w.])%?`,
  "g",
);
const STEPS: ReadonlySet<string> = new Set([
  "step",
  "global_step",
  "iteration",
  "iter",
  "it",
  "epoch",
  "batch",
]);
/** Not measured but set. */
const SETTINGS =
  /^(?:seed|port|rank|world_size|num_\w+|n_\w+|pid|\w*_(?:dir|size|port|seed|version))$/i;
const MAX_LINE = 65_536;

/** Reads `key=value` pairs and JSON lines with numbers; steps are what `step`, `iteration`, `epoch` or `batch` say, else counted. */
export function createMetricScanner({ task }: ScannerOptions = {}): MetricScanner {
  let rest = "";
  const counts = new Map<string, number>();
  const read = (line: string): readonly MetricPoint[] => {
    const text = ownText(line, task);
    const pairs = text === undefined ? [] : pairsOf(text);
    const step = stepOf(pairs);
    return pairs
      .filter(
        ([name, value]) =>
          !STEPS.has(name.toLowerCase()) && !SETTINGS.test(name) && Number.isFinite(value),
      )
      .map(([name, value]) => {
        const count = (counts.get(name) ?? 0) + 1;
        counts.set(name, count);
        return { name, value, step: step ?? count };
      });
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

function ownText(line: string, task: string | undefined): string | undefined {
  if (task === undefined) return line;
  return line.startsWith(`[${task}] `) ? line.slice(task.length + 3) : undefined;
}

function pairsOf(text: string): readonly (readonly [string, number])[] {
  if (/^\s*\{.*\}\s*$/s.test(text)) {
    const parsed = parseJson(text);
    if (parsed !== undefined)
      return Object.entries(parsed).flatMap(([name, value]) =>
        typeof value === "number" ? [[name, value] as const] : [],
      );
  }
  // What a parser of arguments prints of itself is no measurement.
  if (/\bNamespace\(/.test(text)) return [];
  return [...text.matchAll(PAIR)].map(([, name = "", value]) => [name, Number(value)] as const);
}

/** The finest of what says where training is. */
function stepOf(pairs: readonly (readonly [string, number])[]): number | undefined {
  const named = new Map(pairs.map(([name, value]) => [name.toLowerCase(), value]));
  for (const name of ["global_step", "step", "iteration", "iter", "it"])
    if (named.has(name)) return named.get(name);
  return named.has("batch") && named.has("epoch")
    ? undefined
    : (named.get("epoch") ?? named.get("batch"));
}

function parseJson(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined; // looked like JSON, and was not
  }
}
