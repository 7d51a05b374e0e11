import type { HttpClient } from "../../../ground/http/index.ts";
import { causeOf, isSuccess, post } from "./post.ts";
import type { EndedSpan } from "../../plane/index.ts";

/** Where spans go, and how many may wait. Defaults are OpenTelemetry's. */
export interface OtlpSettings {
  /** Whole URL, such as `http://collector:4318/v1/traces`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Longest time for one export, in ms. */
  readonly timeoutMs: number;
  /** Attributes of everything that this process sends; `service.name` among them. */
  readonly resource: Readonly<Record<string, string>>;
  /** Longest time that a span waits for others, in ms. */
  readonly delayMs: number;
  /** Spans in one export. */
  readonly maxBatch: number;
  /** Spans that may wait; more are dropped and counted. */
  readonly maxQueue: number;
}

export interface OtlpExporterOptions {
  readonly settings: OtlpSettings;
  /** The caller's to close, after the exporter. */
  readonly client: HttpClient;
  /** Told about an export that failed, at most once a minute, with all that were lost since the start. */
  readonly onFailure: (why: string, lost: number) => void;
}

const QUIET_MS = 60_000;

/**
 * Sends spans as OTLP/HTTP in JSON, in batches, one export at a time. Never waits for the collector in anybody's place: a queue that
 * is full and an export that fails lose spans, and nothing else.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export class OtlpExporter implements AsyncDisposable {
  readonly #settings: OtlpSettings;
  readonly #client: HttpClient;
  readonly #onFailure: OtlpExporterOptions["onFailure"];
  readonly #queue: EndedSpan[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #lost = 0;
  #quietUntil = 0;

  constructor({ settings, client, onFailure }: OtlpExporterOptions) {
    this.#settings = settings;
    this.#client = client;
    this.#onFailure = onFailure;
  }

  /** Spans that never arrived. */
  get lost(): number {
    return this.#lost;
  }

  add(span: EndedSpan): void {
    const { maxQueue, maxBatch, delayMs } = this.#settings;
    if (this.#queue.length >= maxQueue) {
      this.#lost += 1;
      return;
    }
    this.#queue.push(span);
    if (this.#queue.length >= maxBatch) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), delayMs).unref();
  }

  /** Sends what waits; gives up at the first export that fails. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sending;
    const lost = this.#lost;
    while (this.#queue.length > 0 && this.#lost === lost) {
      this.#send();
      await this.#sending;
    }
    clearTimeout(this.#timer);
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sending !== undefined || this.#queue.length === 0) return;
    const batch = this.#queue.splice(0, this.#settings.maxBatch);
    this.#sending = this.#post(batch).finally(() => {
      this.#sending = undefined;
      if (this.#queue.length > 0)
        this.#timer ??= setTimeout(
          () => this.#send(),
          this.#queue.length >= this.#settings.maxBatch ? 0 : this.#settings.delayMs,
        ).unref();
    });
  }

  /** Never rejects. */
  async #post(batch: readonly EndedSpan[]): Promise<void> {
    const { url, headers, timeoutMs, resource } = this.#settings;
    try {
      const { status } = await post(this.#client, {
        action: "export spans",
        url: new URL(url),
        headers: { ...headers, "content-type": "application/json" },
        body: Buffer.from(JSON.stringify(exportRequest(batch, resource))),
        timeoutMs,
      });
      if (!isSuccess(status)) this.#lose(batch.length, `the collector answered ${status}`);
    } catch (error) {
      this.#lose(batch.length, causeOf(error));
    }
  }

  #lose(count: number, why: string): void {
    this.#lost += count;
    const now = performance.now();
    if (now < this.#quietUntil) return;
    this.#quietUntil = now + QUIET_MS;
    this.#onFailure(why, this.#lost);
  }
}

const KINDS = { internal: 1, server: 2 } as const;
const ERROR_STATUS = 2;

function exportRequest(
  spans: readonly EndedSpan[],
  resource: Readonly<Record<string, string>>,
): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeSpans: [{ scope: { name: "slipway" }, spans: spans.map(spanOf) }],
      },
    ],
  };
}

function spanOf({ context, name, kind, startMs, endMs, attributes, error }: EndedSpan): object {
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    ...(context.parentId !== undefined && { parentSpanId: context.parentId }),
    name,
    kind: KINDS[kind],
    startTimeUnixNano: nanos(startMs),
    endTimeUnixNano: nanos(endMs),
    attributes: attributesOf(attributes),
    status: error === undefined ? {} : { code: ERROR_STATUS, message: error },
  };
}

/** Whole nanoseconds as text; a double holds microseconds of today's time and no more. */
function nanos(ms: number): string {
  return `${Math.round(ms * 1000)}000`;
}

function attributesOf(
  values: Readonly<Record<string, string | number | boolean>>,
): readonly object[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: typedValue(value) }));
}

function typedValue(value: string | number | boolean): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
