export { createLogger, levelOfPython, type Logger, type LoggerOptions, type LogLevel } from "./log/index.ts";
export { runEntry, serveOptions, type EntryOptions } from "./main.ts";
export { parseSeldonLaunch, type SeldonLaunch } from "./seldon/launch.ts";
export { applyLaunch, describeMicroservice, type MicroservicePlace } from "./seldon/microservice.ts";
export { DEFAULT_SELDON_SETTINGS, type SeldonSettings } from "./seldon/settings.ts";
export { serveModel, type RunningServer, type ServeOptions } from "./serve-model.ts";
