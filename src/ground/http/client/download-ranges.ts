import { download, validatorOf, type DownloadCall } from "./download.ts";
import type { HttpClient, HttpResponse } from "./http-message.ts";
import { readRanges, type RangesOptions } from "./read-ranges.ts";

/** What is downloaded over several connections. */
export type RangesCall = Omit<DownloadCall, "part"> & Omit<RangesOptions, "offset">;

/**
 * Streams the content of a URL in its order, fetched in ranges over several connections at once where that helps, as `readRanges` says. A range
 * that breaks off is taken up again where it stopped. A chunk stays as it is until 3 MiB more were taken.
 * @throws what `download` throws.
 */
export async function* downloadRanges(
  client: HttpClient,
  call: RangesCall,
): AsyncGenerator<Uint8Array, void, undefined> {
  let content: RangedContent | undefined;
  const onStart = (response: HttpResponse): void => {
    call.onStart?.(response);
    content ??= rangedContent(response);
  };
  yield* readRanges(
    {
      size: () => content?.size,
      rest: () => download(client, { ...call, onStart, isLong: true }),
      part: (start, end, signal) =>
        download(client, {
          ...call,
          part: { start, end, validator: content?.validator ?? "" },
          signal: eitherOf(call.signal, signal),
          onStart: undefined,
        }),
    },
    { ...call, offset: call.from?.position },
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
  const [, total] = /\/(\d+)$/.exec(response.header("content-range") ?? "") ?? [];
  const size = Number(total ?? response.header("content-length"));
  const validator = validatorOf(response);
  const hasRanges =
    response.status === 206 || response.header("accept-ranges")?.trim().toLowerCase() === "bytes";
  const isPlain = (response.header("content-encoding") ?? "identity") === "identity";
  return hasRanges && isPlain && validator !== undefined && size > 0
    ? { size, validator }
    : undefined;
}
