export { Histogram } from "./histogram.ts";
export { MetricRegistry, type Labels, type NumberSeries } from "./metric-registry.ts";
