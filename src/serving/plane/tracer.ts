import { IdSource, parseTraceparent, type SpanContext } from "./trace-context.ts";

type SpanKind = "server" | "internal";

/** A span that has ended. Times are in ms since the epoch. */
export interface EndedSpan {
  readonly context: SpanContext;
  readonly name: string;
  readonly kind: SpanKind;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** What went wrong; absent when nothing did. */
  readonly error?: string;
}

/** Decides on the traces that begin here; those that come from elsewhere are recorded when their caller records them. */
export interface Sampler {
  /** Share of the traces that begin here, 0 to 1. */
  readonly ratio: number;
  /** False: the caller's decision does not count. */
  readonly followsCaller: boolean;
}

export interface TracerOptions {
  readonly sampler: Sampler;
  /** Takes ended spans of sampled traces. Must not block or throw. */
  readonly onEnd: (span: EndedSpan) => void;
}

/** What a span turns out to be when it ends. `startedAt` is in ms of `performance.now()`; the end is now. */
export interface SpanEnd extends Pick<EndedSpan, "name" | "kind" | "attributes" | "error"> {
  readonly startedAt: number;
}

/** Makes spans for W3C trace contexts. */
export class Tracer {
  readonly #options: TracerOptions;
  readonly #ids: IdSource = new IdSource();

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  /** A span below the one that `traceparent` names, or the first one of a new trace. */
  begin(traceparent: string | undefined): SpanContext {
    const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent);
    const { sampler } = this.#options;
    const traceId = parent?.traceId ?? this.#ids.next(16);
    const isSampled =
      parent !== undefined && sampler.followsCaller
        ? parent.isSampled
        : isDrawn(traceId, sampler.ratio);
    return {
      traceId,
      spanId: this.#ids.next(8),
      isSampled,
      ...(parent !== undefined && { parentId: parent.spanId }),
    };
  }

  /** A span inside one of our own, whose decision it shares. */
  child({ traceId, spanId, isSampled }: SpanContext): SpanContext {
    return { traceId, spanId: this.#ids.next(8), parentId: spanId, isSampled };
  }

  end(context: SpanContext, { startedAt, ...rest }: SpanEnd): void {
    if (!context.isSampled) return;
    const { timeOrigin } = performance;
    this.#options.onEnd({
      context,
      ...rest,
      startMs: timeOrigin + startedAt,
      endMs: timeOrigin + performance.now(),
    });
  }
}

/** The same answer for the same trace everywhere, as OpenTelemetry's ratio sampler gives it: by the last seven bytes of the id. */
function isDrawn(traceId: string, ratio: number): boolean {
  return ratio >= 1 || Number.parseInt(traceId.slice(-13), 16) < ratio * 2 ** 52;
}
