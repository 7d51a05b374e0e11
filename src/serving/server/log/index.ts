export { createLogger, levelOfPython, switchesOf, type Logger } from "./logger.ts";
