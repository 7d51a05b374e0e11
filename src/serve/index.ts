export { createLogger, levelOfPython, type Logger, type LoggerOptions, type LogLevel } from "./log/index.ts";
export { runEntry, serveOptions, type EntryOptions } from "./main.ts";
export { parseSeldonLaunch, type SeldonLaunch } from "./seldon/launch.ts";
export { applyLaunch, describeMicroservice, type MicroservicePlace } from "./seldon/microservice.ts";
export { DEFAULT_SELDON_SETTINGS, type SeldonSettings } from "./seldon/settings.ts";
export { parseObserveSettings, type ObserveSettings } from "./observe/index.ts";
export type { RunningServer } from "./running-server.ts";
export { serveModel, type ServeOptions } from "./serve-model.ts";
export { applyServerEnv } from "./server-env.ts";
