import { randomUUID } from "node:crypto";
import { redact } from "./redact.ts";

/** One request with its answer, for the request log. */
export interface LoggedPair {
  /** Request id. */
  readonly id: string;
  readonly endpoint: string;
  /** HTTP status, or the name of a gRPC one. */
  readonly code: string;
  /** From the last byte of the request's head to the answer, in ms. */
  readonly durationMs: number;
  /** Time of the answer, in ms since the epoch. */
  readonly atMs: number;
  readonly request: LoggedBody;
  readonly response: LoggedBody;
}

export interface LoggedBody {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

export interface RequestLogSettings {
  /** A file that lines of JSON are appended to, or an `http(s)` URL that CloudEvents are posted to. */
  readonly target: string;
  readonly mode: "all" | "request" | "response";
  /** Share of the requests that are logged, 0 to 1. */
  readonly sample: number;
  /** JSON keys, in lower case, whose values are not logged; `*` leaves out all bodies. */
  readonly redact: ReadonlySet<string>;
  /** Longest body that is logged, in bytes. */
  readonly maxBytes: number;
}

/** An event for a sink: `body` is JSON text or bytes, or undefined when it must not be shown. */
export interface LogEvent {
  readonly eventId: string;
  readonly kind: "request" | "response" | "feedback";
  readonly pair: LoggedPair;
  readonly contentType: string;
  readonly body: string | Uint8Array | undefined;
  /** Of the body as it was. */
  readonly size: number;
}

/** A place that events go to. */
export interface LogSink {
  write(event: LogEvent): Promise<void>;
  /** Ends what is open. */
  end(): Promise<void>;
}

export interface RequestLogOptions {
  readonly settings: RequestLogSettings;
  readonly sink: LogSink;
  /**
   * Called when a sink fails, at most once a minute, with the number of requests that were not
   * logged since the start.
   */
  readonly onFailure: (why: string, lost: number) => void;
  /** Draws from 0 to 1, for the sample. Default `Math.random`. */
  readonly draw?: () => number;
}

const MAX_WAITING = 1000;
const MAX_WAITING_BYTES = 32 * 2 ** 20;
const QUIET_MS = 60_000;

/** Logs requests and answers behind the back of those who wait for them: nothing here is awaited by a request, and what a slow sink cannot take is dropped. */
export class RequestLog implements AsyncDisposable {
  readonly #options: RequestLogOptions;
  readonly #draw: () => number;
  readonly #queue: LoggedPair[] = [];
  #bytes = 0;
  #lost = 0;
  #quietUntil = 0;
  #working: Promise<void> | undefined;

  constructor(options: RequestLogOptions) {
    this.#options = options;
    this.#draw = options.draw ?? Math.random;
  }

  /** Requests that should have been logged and were not. */
  get lost(): number {
    return this.#lost;
  }

  /** True for a request that belongs into the sample; asked before the pair is made. */
  draws(): boolean {
    const { sample } = this.#options.settings;
    return sample >= 1 || this.#draw() < sample;
  }

  add(pair: LoggedPair): void {
    const size = sizeOf(pair);
    if (
      this.#queue.length >= MAX_WAITING ||
      (this.#bytes + size > MAX_WAITING_BYTES && this.#queue.length > 0)
    ) {
      this.#lose("the sink is too slow");
      return;
    }
    this.#queue.push(pair);
    this.#bytes += size;
    this.#working ??= this.#work().finally(() => (this.#working = undefined));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#working;
    await this.#options.sink.end();
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve)); // after the answer has left
    for (let pair = this.#queue.shift(); pair !== undefined; pair = this.#queue.shift()) {
      this.#bytes -= sizeOf(pair);
      try {
        for (const event of eventsOf(pair, this.#options.settings))
          await this.#options.sink.write(event);
      } catch (error) {
        this.#lose(error instanceof Error ? error.message : String(error));
      }
    }
  }

  #lose(why: string): void {
    this.#lost += 1;
    const now = performance.now();
    if (now < this.#quietUntil) return;
    this.#quietUntil = now + QUIET_MS;
    this.#options.onFailure(why, this.#lost);
  }
}

function sizeOf({ request, response }: LoggedPair): number {
  return request.bytes.byteLength + response.bytes.byteLength;
}

function eventsOf(pair: LoggedPair, settings: RequestLogSettings): readonly LogEvent[] {
  const event = (kind: LogEvent["kind"], { contentType, bytes }: LoggedBody): LogEvent => ({
    ...{ eventId: randomUUID(), kind, pair, contentType, size: bytes.byteLength },
    body: bodyOf(bytes, settings),
  });
  if (pair.endpoint === "feedback") return [event("feedback", pair.request)];
  return [
    ...(settings.mode === "response" ? [] : [event("request", pair.request)]),
    ...(settings.mode === "request" ? [] : [event("response", pair.response)]),
  ];
}

/** What cannot be looked into cannot be redacted, and is left out then. */
function bodyOf(
  bytes: Uint8Array,
  { redact: keys, maxBytes }: RequestLogSettings,
): string | Uint8Array | undefined {
  if (keys.has("*") || bytes.byteLength > maxBytes) return undefined;
  const json = jsonText(bytes);
  if (keys.size > 0)
    return json === undefined ? undefined : JSON.stringify(redact(JSON.parse(json), keys));
  return json ?? bytes;
}

/** The text when it is JSON, on one line and with its numbers as they were written. */
function jsonText(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  try {
    JSON.parse(text);
    return text.replaceAll(/[\r\n]+/g, " ").trim(); // line breaks of valid JSON stand between tokens only
  } catch {
    return undefined; // another type, or NaN, which Python writes and JSON does not know
  }
}
