import { pino, type DestinationStream } from "pino";

/** Levels, most severe first. */
export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace";

/** Structured log: an object of fields, then a sentence. */
export type Logger = Pick<ReturnType<typeof pino>, LogLevel | "child">;

export interface LoggerOptions {
  /** Default `info`. */
  readonly level?: LogLevel;
  /** Where lines go. Default standard output. */
  readonly write?: (line: string) => void;
}

/** One JSON object per line: `level`, `time` (ISO 8601), `msg` and the fields. Payloads are never logged. */
export function createLogger({ level = "info", write }: LoggerOptions = {}): Logger {
  const options = {
    level,
    base: null,
    timestamp: (): string => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string): object => ({ level: label }) },
  };
  const destination: DestinationStream | undefined = write === undefined ? undefined : { write };
  return destination === undefined ? pino(options) : pino(options, destination);
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
