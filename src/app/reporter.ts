import type { CopyProgress } from "../images/copy/index.ts";

export type { CopyProgress } from "../images/copy/index.ts";

/** Tells a person or a program how a command gets on. Progress goes to standard error, results to standard output. */
export interface Reporter {
  /** A step has begun, in a few words: `resolving python:3.11-slim`. */
  step(text: string): void;
  blob(progress: CopyProgress): void;
  warn(text: string): void;
  /** One line of the result. Nothing in JSON mode. */
  line(text: string): void;
  /** The result as data. Nothing but in JSON mode. */
  result(data: Readonly<Record<string, unknown>>): void;
  /** Takes transient lines off the terminal. Call it before anything else prints. */
  close(): void;
}

/** Where a reporter writes. */
export interface Streams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}
