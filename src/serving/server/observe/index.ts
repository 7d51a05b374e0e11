export { createObservation, type Observation } from "./create-observation.ts";
export type { AnsweredRequest, Observer } from "./observer.ts";
export { registerServerMetrics, type ServerMetrics, type ServerState } from "./server-metrics.ts";
export { parseObserveSettings, type ObserveSettings } from "./settings.ts";
