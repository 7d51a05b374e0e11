import { pythonFloat } from "../plane/index.ts";
import { Histogram } from "./histogram.ts";

export type Labels = Readonly<Record<string, string>>;
export type MetricType = "counter" | "gauge" | "histogram";

/** A number that goes up (counter) or anywhere (gauge). */
export interface NumberSeries {
  value: number;
}

interface Family {
  readonly type: MetricType;
  readonly help: string;
  readonly series: Map<string, NumberSeries | Histogram>;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/**
 * Metrics in Prometheus' text form. Series of one name may have different labels, since users choose them. Asking for a series
 * costs a lookup; updating one costs an addition, so callers keep what they use often.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export class MetricRegistry {
  readonly #families = new Map<string, Family>();
  readonly #maxSeries: number;
  readonly #collectors: (() => void)[] = [];
  #count = 0;

  /** `maxSeries`: bound on all series together; beyond it new ones are kept nowhere. Default 10,000. */
  constructor(maxSeries = 10_000) {
    this.#maxSeries = maxSeries;
  }

  counter(name: string, help: string, labels: Labels = {}): NumberSeries {
    return this.#series({ name, help, type: "counter" }, labels, () => ({
      value: 0,
    })) as NumberSeries; // what the factory makes
  }

  gauge(name: string, help: string, labels: Labels = {}): NumberSeries {
    return this.#series({ name, help, type: "gauge" }, labels, () => ({
      value: 0,
    })) as NumberSeries; // what the factory makes
  }

  histogram(
    {
      name,
      help,
      bounds,
    }: { readonly name: string; readonly help: string; readonly bounds: readonly number[] },
    labels: Labels = {},
  ): Histogram {
    return this.#series(
      { name, help, type: "histogram" },
      labels,
      () => new Histogram(bounds),
    ) as Histogram; // what the factory makes
  }

  /** True when `name` may be used for a metric of this type: it is well formed and not taken by another type. */
  allows(name: string, type: MetricType): boolean {
    return NAME.test(name) && (this.#families.get(name)?.type ?? type) === type;
  }

  /** Calls `update` whenever the page is asked for, before it is written. */
  onCollect(update: () => void): void {
    this.#collectors.push(update);
  }

  /** The page. */
  text(): string {
    for (const update of this.#collectors) update();
    const lines: string[] = [];
    for (const [name, family] of this.#families) {
      lines.push(`# HELP ${name} ${family.help}`, `# TYPE ${name} ${family.type}`);
      for (const [labels, series] of family.series) {
        if (series instanceof Histogram) pushHistogram(lines, { name, labels, series });
        else lines.push(`${name}${braced(labels)} ${numberText(series.value)}`);
      }
    }
    return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
  }

  #series(
    about: { name: string; help: string; type: MetricType },
    labels: Labels,
    create: () => NumberSeries | Histogram,
  ): NumberSeries | Histogram {
    let family = this.#families.get(about.name);
    if (family === undefined)
      this.#families.set(
        about.name,
        (family = { type: about.type, help: about.help, series: new Map() }),
      );
    const key = labelText(labels);
    const known = family.series.get(key);
    if (known !== undefined) return known;
    const fresh = create();
    if (this.#count < this.#maxSeries) {
      this.#count += 1;
      family.series.set(key, fresh);
    }
    return fresh;
  }
}

function pushHistogram(
  lines: string[],
  { name, labels, series }: { name: string; labels: string; series: Histogram },
): void {
  let total = 0;
  const prefix = labels === "" ? "" : `${labels},`;
  series.counts.forEach((count, index) => {
    total += count;
    const bound = series.bounds[index];
    lines.push(
      `${name}_bucket{${prefix}le="${bound === undefined ? "+Inf" : pythonFloat(bound)}"} ${numberText(total)}`,
    );
  });
  lines.push(
    `${name}_count${braced(labels)} ${numberText(series.count)}`,
    `${name}_sum${braced(labels)} ${numberText(series.sum)}`,
  );
}

function braced(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

/** Sorted by name, so that the same labels in any order are the same series. Names that Prometheus does not take are mended. */
function labelText(labels: Labels): string {
  return Object.keys(labels)
    .sort()
    .map(
      (name) =>
        `${LABEL.test(name) ? name : name.replaceAll(/[^a-zA-Z0-9_]/g, "_").replace(/^(?=[0-9])/, "_")}="${escapeLabel(labels[name] ?? "")}"`,
    )
    .join(",");
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function numberText(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : pythonFloat(value);
}
