import { download, validatorOf, type DownloadCall } from "./download.ts";
import type { HttpClient, HttpResponse } from "./http-message.ts";

/** What is downloaded over several connections. */
export interface RangesCall extends Omit<DownloadCall, "part"> {
  /** Requests at the same time. Default 4. */
  readonly connections?: number | undefined;
  /** Bytes of one request. As many for each connection are held in memory. Default 8 MiB. */
  readonly rangeBytes?: number | undefined;
}

const DEFAULT_CONNECTIONS = 4;
const DEFAULT_RANGE_BYTES = 8 * 2 ** 20;
/** Ranges' worth of bytes after which the first connection is judged. */
const JUDGED_RANGES = 2;
/** Bytes a millisecond from which one connection is enough: what takes the content is then slower than what brings it. */
const ENOUGH_BYTES_PER_MS = 100_000;

/**
 * Streams the content of a URL in its order, fetched in ranges over several connections at once. One connection is kept while it brings
 * 100 MB/s and more, for a short content, and where the server has no ranges or does not say how to know the same content again. A range
 * that breaks off is taken up again where it stopped. A chunk stays as it is until 3 MiB more were taken.
 * @throws what `download` throws.
 */
export async function* downloadRanges(
  client: HttpClient,
  call: RangesCall,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { connections = DEFAULT_CONNECTIONS, rangeBytes = DEFAULT_RANGE_BYTES } = call;
  let content: RangedContent | undefined;
  const onStart = (response: HttpResponse): void => {
    call.onStart?.(response);
    content ??= rangedContent(response);
  };
  let position = 0;
  let waitedMs = 0;
  let asked = performance.now();
  for await (const chunk of download(client, { ...call, onStart, isLong: true })) {
    waitedMs += performance.now() - asked;
    position += chunk.byteLength;
    yield chunk;
    const isSlow = position < waitedMs * ENOUGH_BYTES_PER_MS;
    if (isSlow && connections > 1 && position >= rangeBytes * JUDGED_RANGES && position < (content?.size ?? 0))
      break;
    asked = performance.now();
  }
  if (content === undefined) return;
  const ranges = rangesOf(content, position, rangeBytes);
  yield* inOrder(ranges, connections, (part, signal) =>
    Array.fromAsync(
      download(client, {
        ...call,
        part,
        signal: eitherOf(call.signal, signal),
        onStart: undefined,
      }),
    ),
  );
}

function eitherOf(outer: AbortSignal | undefined, own: AbortSignal): AbortSignal {
  return outer === undefined ? own : AbortSignal.any([outer, own]);
}

interface RangedContent {
  /** Bytes. */
  readonly size: number;
  readonly validator: string;
}

/** Nothing when the content cannot be had in ranges. @see RFC 9110, 14.3 Accept-Ranges */
function rangedContent(response: HttpResponse): RangedContent | undefined {
  const size = Number(response.header("content-length"));
  const validator = validatorOf(response);
  const hasRanges = response.header("accept-ranges")?.trim().toLowerCase() === "bytes";
  const isPlain = (response.header("content-encoding") ?? "identity") === "identity";
  return response.status === 200 && hasRanges && isPlain && validator !== undefined && size > 0
    ? { size, validator }
    : undefined;
}

type Range = RangedContent & { readonly start: number; readonly end: number };

function rangesOf(content: RangedContent, from: number, bytes: number): readonly Range[] {
  const count = Math.ceil((content.size - from) / bytes);
  return Array.from({ length: Math.max(0, count) }, (_, index) => {
    const start = from + index * bytes;
    return { ...content, start, end: Math.min(start + bytes, content.size) };
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
