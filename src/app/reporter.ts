/** One blob on its way from a source to a sink. */
export interface BlobProgress {
  readonly kind: "blob";
  /** Stable within one command. */
  readonly id: string;
  /** What a person would call it, such as `model files` or a short digest. */
  readonly label: string;
  readonly state: "start" | "progress" | "done" | "skipped" | "mounted";
  /** Bytes moved so far. */
  readonly bytes: number;
  /** Bytes in all, as stored. */
  readonly size: number;
}

/** Tells a person or a program how a command gets on. Progress goes to standard error, results to standard output. */
export interface Reporter {
  /** A step has begun, in a few words: `resolving python:3.11-slim`. */
  step(text: string): void;
  blob(progress: BlobProgress): void;
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
