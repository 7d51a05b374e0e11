import type { Bytes } from "../../bytes/index.ts";

/** Content that can be had from an offset on, and in parts. */
export interface RangedSource {
  /** Its bytes in all; nothing where it cannot be had in parts. Asked once the first bytes have come. */
  size(): number | undefined;
  /** From the offset to the end. */
  rest(): Bytes;
  /** Bytes from `start` to `end`; the chunks are the caller's. */
  part(start: number, end: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface RangesOptions {
  /** First byte. Default 0. */
  readonly offset?: number | undefined;
  /** Requests at the same time, asked for whenever it matters; with one there are no parts. Default 4. */
  readonly connections?: (() => number) | undefined;
  /** Bytes of one request. As many for each connection are held in memory. Default 8 MiB. */
  readonly rangeBytes?: number | undefined;
}

const DEFAULT_CONNECTIONS = (): number => 4;
const DEFAULT_RANGE_BYTES = 8 * 2 ** 20;
/** Ranges' worth of bytes after which the first connection is judged. */
const JUDGED_RANGES = 2;
/** Bytes a millisecond from which one connection is enough: what takes the content is then slower than what brings it. */
const ENOUGH_BYTES_PER_MS = 50_000;

/**
 * Streams content in its order, in ranges over several connections at once. One connection is kept while it brings 50 MB/s and more, for a
 * short content, and where there are no parts.
 * @throws what the source throws
 */
export async function* readRanges(
  source: RangedSource,
  {
    offset = 0,
    connections = DEFAULT_CONNECTIONS,
    rangeBytes = DEFAULT_RANGE_BYTES,
  }: RangesOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let position = offset;
  let waitedMs = 0;
  let isLeft = false;
  let asked = performance.now();
  for await (const chunk of source.rest()) {
    waitedMs += performance.now() - asked;
    position += chunk.byteLength;
    yield chunk;
    const came = position - offset;
    const isSlow = came >= rangeBytes * JUDGED_RANGES && came < waitedMs * ENOUGH_BYTES_PER_MS;
    isLeft = isSlow && connections() > 1 && position < (source.size() ?? 0);
    if (isLeft) break;
    asked = performance.now();
  }
  const size = source.size();
  if (!isLeft || size === undefined) return;
  yield* inOrder(rangesOf(position, size, rangeBytes), connections(), ({ start, end }, signal) =>
    Array.fromAsync(source.part(start, end, signal)),
  );
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function rangesOf(from: number, size: number, bytes: number): readonly Range[] {
  return Array.from({ length: Math.ceil((size - from) / bytes) }, (_, index) => {
    const start = from + index * bytes;
    return { start, end: Math.min(start + bytes, size) };
  });
}

type Chunks = readonly Uint8Array[];

/** What each task gives, in the order of the ranges, while at most `count` of them are under way or wait to be taken. */
async function* inOrder(
  ranges: readonly Range[],
  count: number,
  task: (range: Range, signal: AbortSignal) => Promise<Chunks>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const stop = new AbortController();
  const waiting: Promise<Chunks>[] = [];
  const start = (range: Range | undefined): void => {
    if (range === undefined) return;
    const chunks = task(range, stop.signal);
    chunks.catch(() => undefined); // its failure is seen when it is its turn
    waiting.push(chunks);
  };
  for (const range of ranges.slice(0, count)) start(range);
  try {
    for (let next = count; waiting.length > 0; next += 1) {
      const chunks = await waiting.shift();
      start(ranges[next]);
      yield* chunks ?? [];
    }
  } finally {
    stop.abort();
  }
}
