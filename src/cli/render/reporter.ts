import type { AppEvent } from "../../app/index.ts";

/** One blob on its way from a source to a sink. */
export type BlobProgress = Extract<AppEvent, { readonly kind: "blob" }>;

/** Tells a person or a program how a command gets on. Progress goes to standard error, results to standard output. */
export interface Reporter {
  /** A step has begun, in a few words: `resolving python:3.11-slim`. */
  step(text: string): void;
  blob(progress: BlobProgress): void;
  warn(text: string): void;
  /** One line of the result; what a terminal would take for a command in it is blanked. Nothing in JSON mode. */
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
