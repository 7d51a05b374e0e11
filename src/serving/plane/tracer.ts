import { IdSource, parseTraceparent, type SpanContext } from "./trace-context.ts";
import type { TraceSettings } from "./trace-settings.ts";

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

export interface TracerOptions extends Pick<Sampler, "followsCaller"> {
  readonly settings: TraceSettings;
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

  /** A span below the one that `traceparent` names, or the first one of a new trace; undefined while nothing is traced. */
  begin(traceparent: string | undefined): SpanContext | undefined {
    const { settings } = this.#options;
    if (!settings.isAnyOn) return undefined;
    const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent);
    const traceId = parent?.traceId ?? this.#ids.next(16);
    const isSampled = settings.draw((ratio) => this.#isDrawn(traceId, parent, ratio));
    return {
      traceId,
      spanId: this.#ids.next(8),
      isSampled,
      ...(parent !== undefined && { parentId: parent.spanId }),
    };
  }

  /** A span of a model inside one of our own, whose decision it shares. A model with a rule of its own decides for both. */
  child(context: SpanContext, model: string): SpanContext {
    const { traceId, spanId } = context;
    const own = this.#options.settings.drawFor(model, (ratio) => isDrawnFrom(traceId, ratio));
    if (own !== undefined) context.isSampled = own;
    return { traceId, spanId: this.#ids.next(8), parentId: spanId, isSampled: context.isSampled };
  }

  #isDrawn(traceId: string, parent: SpanContext | undefined, ratio: number): boolean {
    return parent !== undefined && this.#options.followsCaller
      ? parent.isSampled
      : isDrawnFrom(traceId, ratio);
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
function isDrawnFrom(traceId: string, ratio: number): boolean {
  return ratio >= 1 || Number.parseInt(traceId.slice(-13), 16) < ratio * 2 ** 52;
}
