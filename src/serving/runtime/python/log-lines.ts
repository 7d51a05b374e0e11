import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/** One line that user code printed or logged. */
export interface LogLine {
  /** `stdout` and `stderr` for what was printed, else the level of Python's logging. */
  readonly level: "stdout" | "stderr" | "debug" | "info" | "warn" | "error" | "fatal";
  readonly text: string;
  /** The request that ran when the line was written; absent outside of requests and for output of C code and child processes. */
  readonly requestId?: string;
  /** Number of the worker, from 0. */
  readonly worker: number;
}

const MAX_LINE = 8192;
const LINES_PER_SECOND = 2000;

/** Names for the numbers that a LOG frame carries. */
export function levelOf(number: number): LogLine["level"] {
  if (number === 1) return "stdout";
  if (number === 2) return "stderr";
  if (number < 20) return "debug";
  if (number < 30) return "info";
  if (number < 40) return "warn";
  return number < 50 ? "error" : "fatal";
}

/** Reads a stream to its end, line by line; long lines are cut, and what comes faster than 2000 lines a second is counted and dropped. */
export function readLines(stream: Readable, onLine: (text: string) => void): void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let second = 0;
  let count = 0;
  const emit = (text: string): void => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) {
      if (count > LINES_PER_SECOND)
        onLine(
          `${count - LINES_PER_SECOND} lines of output were dropped: more than ${LINES_PER_SECOND} in a second`,
        );
      second = now;
      count = 0;
    }
    count += 1;
    if (count <= LINES_PER_SECOND) onLine(text.length > MAX_LINE ? text.slice(0, MAX_LINE) : text);
  };
  stream.on("data", (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) emit(line);
    if (rest.length > MAX_LINE) {
      emit(rest);
      rest = "";
    }
  });
  stream.on("end", () => {
    if (rest !== "") emit(rest);
  });
  stream.on("error", () => undefined); // the process is gone; its exit is reported elsewhere
}
