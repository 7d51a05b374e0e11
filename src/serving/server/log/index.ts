export {
  createLogger,
  levelOfPython,
  type Logger,
  type LoggerOptions,
  type LogLevel,
} from "./logger.ts";
