/** Byte chunks with back-pressure, read once. A Node `Readable` and a web `ReadableStream` both satisfy it. */
export type Bytes = AsyncIterable<Uint8Array>;

/** `signal`: aborting rejects with the signal's reason and releases sockets, files and processes. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}
