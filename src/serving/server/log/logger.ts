import { pino, type DestinationStream, type LogFn, type Logger as PinoLogger } from "pino";
import type { LogSwitches } from "../../protocols/index.ts";

/** Levels, most severe first. */
const LEVELS = ["fatal", "error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = (typeof LEVELS)[number];

/** Structured log: an object of fields, then a sentence. */
export type Logger = Pick<ReturnType<typeof pino>, LogLevel | "child">;

const SWITCHES = new WeakMap<object, LogSwitches>();

/** The switches of a logger that `createLogger` made; undefined for others. */
export function switchesOf(log: Logger): LogSwitches | undefined {
  return SWITCHES.get(log);
}

export interface LoggerOptions {
  /** Default `info`. */
  readonly level?: LogLevel;
  /** Where lines go. Default standard output. */
  readonly write?: (line: string) => void;
}

/** One JSON object per line: `level`, `time` (ISO 8601), `msg` and the fields. Payloads are never logged. */
export function createLogger({ level = "info", write }: LoggerOptions = {}): Logger {
  const switches = switchesFor(level);
  const options = {
    level: "trace", // the switches decide
    hooks: {
      logMethod(this: PinoLogger, args: Parameters<LogFn>, method: LogFn, number: number): void {
        if (isWritten(switches, number)) method.apply(this, args);
      },
    },
    base: null,
    timestamp: (): string => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string): object => ({ level: label }) },
  };
  const destination: DestinationStream | undefined = write === undefined ? undefined : { write };
  const log = destination === undefined ? pino(options) : pino(options, destination);
  SWITCHES.set(log, switches);
  return log;
}

function switchesFor(level: LogLevel): LogSwitches {
  const rank = LEVELS.indexOf(level);
  return {
    error: rank >= LEVELS.indexOf("error"),
    warning: rank >= LEVELS.indexOf("warn"),
    info: rank >= LEVELS.indexOf("info"),
    verbose: Math.max(0, rank - LEVELS.indexOf("info")),
  };
}

/** @param number - pino's number of a level: 60 for fatal, 10 for trace */
function isWritten({ info, warning, error, verbose }: LogSwitches, number: number): boolean {
  if (number >= 60) return true;
  if (number >= 50) return error;
  if (number >= 40) return warning;
  if (number >= 30) return info;
  return number >= 20 ? verbose >= 1 : verbose >= 2;
}

/** The level that a name of Python's logging stands for. */
export function levelOfPython(name: string): LogLevel {
  switch (name) {
    case "DEBUG":
    case "NOTSET":
      return "debug";
    case "WARN":
    case "WARNING":
      return "warn";
    case "ERROR":
      return "error";
    case "CRITICAL":
    case "FATAL":
      return "fatal";
    default:
      return "info";
  }
}
