export { createLogger, levelOfPython, type Logger } from "./logger.ts";
