import { randomFillSync } from "node:crypto";

/** One span's place in a trace. */
export interface SpanContext {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero. */
  readonly spanId: string;
  /** The span that this one is part of; absent for the first of a trace. */
  readonly parentId?: string;
  /** False when nobody records this trace. Of a request it may be decided later, by the model that it turns out to be for. */
  isSampled: boolean;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;

/**
 * Reads a `traceparent` header; undefined for one that is malformed, which starts a new trace.
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function parseTraceparent(text: string): SpanContext | undefined {
  const [, version = "", traceId = "", spanId = "", flags = "", rest] =
    TRACEPARENT.exec(text) ?? [];
  if (version === "" || version === "ff" || (version === "00" && rest !== undefined))
    return undefined;
  if (ZEROS.test(traceId) || ZEROS.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The header for calls that a span makes. */
export function formatTraceparent({ traceId, spanId, isSampled }: SpanContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}

const POOL_BYTES = 4096;

/** Random ids in hex, drawn from a pool, since asking the system for each would cost more than the request. */
export class IdSource {
  readonly #pool: Buffer = Buffer.alloc(POOL_BYTES);
  #at = POOL_BYTES;

  /** `bytes` random ones, as twice as many hex digits; never all zero. */
  next(bytes: number): string {
    if (this.#at + bytes > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#at = 0;
    }
    const id = this.#pool.toString("hex", this.#at, this.#at + bytes);
    this.#at += bytes;
    return ZEROS.test(id) ? this.next(bytes) : id;
  }
}
