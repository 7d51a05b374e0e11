export { createLogger, type Logger, type LoggerOptions, type LogLevel } from "./log/index.ts";
export { runAsEntry, runEntry, serveOptions, type EntryOptions } from "./run-entry.ts";
export { parseObserveSettings, type ObserveSettings } from "./observe/index.ts";
export type { RunningServer } from "./running-server.ts";
export { parseSeldonLaunch, type SeldonLaunch } from "./seldon/launch.ts";
export {
  applyLaunch,
  describeMicroservice,
  type MicroservicePlace,
} from "./seldon/microservice.ts";
export { serveGraph, type ServeGraphOptions } from "./serve-graph.ts";
export { serveModel, type RunningModels } from "./serve-model.ts";
export type { ServeOptions } from "./server-parts.ts";
export { readPod, type Pod } from "./pod.ts";
export { allowedHostsOf, applyServerEnv, controlOf, pageSettingOf } from "./server-env.ts";
export type { ModelSource, ModelSources } from "./model-set.ts";
