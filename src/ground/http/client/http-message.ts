import type { Bytes, CallOptions } from "../../bytes/index.ts";

/** A body that is there whole and can be sent again, or one that is read once while it is sent. */
export type HttpBody =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** Without `size` the body goes out in HTTP's chunked encoding. */
  | {
      readonly kind: "stream";
      readonly content: Bytes;
      readonly size?: number | undefined;
      readonly onSent?: ((bytes: number) => void) | undefined;
    };

/** One request, to one URL; nothing is followed and nothing is repeated. */
export interface HttpRequest extends CallOptions {
  /** What is being done, for errors: `push "host/name:tag"`. */
  readonly action: string;
  readonly method: string;
  readonly url: URL;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: HttpBody | undefined;
  /** Longest wait from the last byte sent to the first byte of the answer. Default: the client's. */
  readonly answerTimeoutMs?: number | undefined;
  /**
   * The answer's body is long and is taken at once: it comes in pieces of up to 1 MiB over a connection of its own, each of which stays as it is
   * until 3 MiB more were taken. Default false: pieces are small, and are the caller's.
   */
  readonly isLong?: boolean | undefined;
}

/** The head of an answer; its body waits to be read. Exactly one of `body`, `readBytes`, `discard` and `drop` is used, once. */
export interface HttpResponse {
  readonly method: string;
  readonly url: URL;
  readonly status: number;
  /** The first header of that name, lower-case. */
  header(name: string): string | undefined;
  /** Every header of that name. */
  headers(name: string): readonly string[];
  /** @throws RegistryError `REGISTRY_UNREACHABLE` or `TIMEOUT` when it breaks off. Leaving early drops the connection. */
  body(): Bytes;
  /** At most `maxBytes`; a longer body is cut there and the connection dropped. */
  readBytes(maxBytes: number): Promise<Uint8Array>;
  /** Lets go of the body so that the connection can be used again. */
  discard(): Promise<void>;
  /** Gives the answer up and drops its connection. */
  drop(): Promise<void>;
}

/** Speaks HTTP/1.1 over kept connections; disposing of it closes them. */
export interface HttpClient extends Disposable {
  /**
   * Sends one request and waits for the head of its answer, whatever its status.
   * @throws RegistryError `REGISTRY_UNREACHABLE`, `TIMEOUT`, `INSECURE_REFUSED`; ContentError `SIZE_MISMATCH` when the
   * body is not as long as it says; whatever the body's source throws.
   */
  send(request: HttpRequest): Promise<HttpResponse>;
}

/** All in milliseconds. */
export interface HttpTimeouts {
  /** Name look-up, connection and TLS. Default 15 000. */
  readonly connectMs: number;
  /** Without one byte moving, in either direction. Default 60 000. */
  readonly idleMs: number;
  /** From the last byte sent to the first of the answer; registries check large uploads then. Default 300 000. */
  readonly answerMs: number;
}

export const DEFAULT_TIMEOUTS: HttpTimeouts = {
  connectMs: 15_000,
  idleMs: 60_000,
  answerMs: 300_000,
};
