import { isObject, JsonNumber, pythonStr, type JsonNode } from "../json/index.ts";
import type { Labels, MetricRegistry } from "../../metrics/index.ts";

/** Bounds of timers in seconds: 50 on a logarithmic scale, as in the Seldon wrapper. */
const TIMER_BOUNDS: readonly number[] = [
  0.001, 0.0012341553253454693, 0.0015231393670785815, 0.001879790561123359, 0.002319953531544542,
  0.0028631830055097247, 0.0035336125536884733, 0.004361026750842238, 0.005382184388525997,
  0.006642451525090608, 0.008197816923039709, 0.010117379411776668, 0.012486417679584787,
  0.015410178873747385, 0.019018554321561593, 0.02347185009632733, 0.028967908792092947,
  0.03575089889988335, 0.04412216226317853, 0.05445360152285871, 0.06720420230367624,
  0.0829404241586763, 0.10236136616184238, 0.12632982515827532, 0.15591062646904755,
  0.19241792993472334, 0.2374736129208902, 0.29307932401534564, 0.36170540848218913,
  0.44640065608455204, 0.5509277469444613, 0.6799304127720882, 0.8391397397870158,
  1.035628778567157, 1.2781267721496807, 1.5774069623151439, 1.9467652027782552, 2.4026106422060365,
  2.965194718810281, 3.65951085290597, 4.516404807273444, 5.573945044312399, 6.879113959621136,
  8.489895126924784, 10.477849282518772, 12.931293490187748, 15.959224724520412, 19.696162182151948,
  24.308123445970867, 29.999999999999996,
];

/** Where a metric was made; the value of its `method` label. */
export type MetricMethod =
  | "predict"
  | "inputtransform"
  | "outputtransform"
  | "router"
  | "aggregate"
  | "feedback"
  | "health";

/** Counts what user code reports. Metrics have been checked by the worker; what is odd all the same is passed over. */
export class CustomMetrics {
  readonly #registry: MetricRegistry;
  readonly #labels: Labels;

  /** `labels`: those of the node, on every series. */
  constructor(registry: MetricRegistry, labels: Labels) {
    this.#registry = registry;
    this.#labels = labels;
  }

  record(metrics: readonly JsonNode[], method: MetricMethod): void {
    for (const metric of metrics) {
      if (!isObject(metric)) continue;
      const key = metric.get("key");
      const value = metric.get("value");
      if (typeof key !== "string") continue;
      const labels = { ...tagLabels(metric.get("tags")), ...this.#labels, method };
      this.#update(
        { type: metric.get("type"), name: key.replaceAll(/[^a-zA-Z0-9_:]/g, "_"), labels },
        numberOf(value),
      );
    }
  }

  /** What a feedback call was worth; one that was worth nothing is not counted. */
  reward(reward: number): void {
    if (reward === 0) return;
    const labels = { ...this.#labels, method: "feedback" };
    this.#registry.counter("seldon_api_model_feedback_total", "", labels).value += 1;
    this.#registry.counter("seldon_api_model_feedback_reward_total", "", labels).value += reward;
  }

  #update(
    { type, name, labels }: { type: JsonNode | undefined; name: string; labels: Labels },
    value: number,
  ): void {
    if (type === "COUNTER" || type === undefined) {
      const total = name.endsWith("_total") ? name : `${name}_total`;
      if (this.#registry.allows(total, "counter"))
        this.#registry.counter(total, "", labels).value += value;
    } else if (type === "GAUGE") {
      if (this.#registry.allows(name, "gauge"))
        this.#registry.gauge(name, "", labels).value = value;
    } else if (type === "TIMER" && this.#registry.allows(name, "histogram")) {
      this.#registry
        .histogram({ name, help: "", bounds: TIMER_BOUNDS }, labels)
        .observeHalfOpen(value / 1000);
    }
  }
}

function tagLabels(tags: JsonNode | undefined): Labels {
  if (!isObject(tags)) return {};
  return Object.fromEntries(
    [...tags]
      .filter(([name]) => !name.startsWith("__")) // Prometheus keeps such names for itself, and refuses the whole page
      .map(([name, value]) => [name, pythonStr(value)]),
  );
}

function numberOf(node: JsonNode | undefined): number {
  if (node instanceof JsonNumber) return Number(node.text);
  return node === true ? 1 : 0;
}
