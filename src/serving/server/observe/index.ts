export { createObservation, type Observation } from "./create-observation.ts";
export type { Observer } from "./observer.ts";
export { registerServerMetrics, type ServerMetrics } from "./server-metrics.ts";
export { parseObserveSettings, type ObserveSettings } from "./settings.ts";
