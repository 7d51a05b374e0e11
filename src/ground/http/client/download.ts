import { setTimeout as delay } from "node:timers/promises";
import { skipBytes } from "../../bytes/index.ts";
import { RegistryError, ToolError } from "../../errors/index.ts";
import { callUrl, type UrlCall } from "./call-url.ts";
import type { HttpClient, HttpResponse } from "./http-message.ts";
import { protocolError } from "./response-error.ts";

/** What is downloaded, and how much of it at most. */
export interface DownloadCall extends Omit<UrlCall, "method" | "body" | "accepts"> {
  /** A longer content is refused, by its stated length or when that many bytes have come. */
  readonly maxBytes: number;
  /** Told of the head of the first answer. */
  readonly onStart?: ((response: HttpResponse) => void) | undefined;
  /** A part of a content that is known: only its bytes come. Default: all of it. */
  readonly part?: DownloadPart | undefined;
  /** What came of the content before, be it in another process: only what follows comes. Default: nothing. */
  readonly from?: DownloadPlace | undefined;
}

/** How far a download is. */
interface DownloadPlace {
  /** Bytes that have come. */
  readonly position: number;
  /** Names the content that they are of: its `ETag` or `Last-Modified`. */
  readonly validator: string | undefined;
}

/** Bytes of one content. */
interface DownloadPart {
  /** Offset of the first byte. */
  readonly start: number;
  /** Offset behind the last byte. */
  readonly end: number;
  /** The content's `ETag` or `Last-Modified`. */
  readonly validator: string;
}

/** Cuts in a row without a single new byte before a download is given up. */
const MAX_BARREN = 4;
const PAUSE_MS = 100;

/**
 * Streams the content of a URL. A connection that breaks off is taken up again with a range request when the server has said how to
 * know the same content again (`ETag` or `Last-Modified`); the caller verifies the content's hash where it has one.
 * @throws what `callUrl` throws; `LIMIT_EXCEEDED`; `REGISTRY_PROTOCOL` when the content changed meanwhile.
 */
export async function* download(
  client: HttpClient,
  call: DownloadCall,
): AsyncGenerator<Uint8Array, void, undefined> {
  const sleep = call.retry?.sleep ?? pause;
  let { position, validator } = startOf(call);
  for (let barren = 0; ;) {
    const before = position;
    try {
      for await (const chunk of contentFrom(client, call, { position, validator }, (seen) => {
        validator ??= seen;
      })) {
        position += chunk.byteLength;
        yield chunk;
      }
      return;
    } catch (error) {
      barren = position > before ? 0 : barren + 1;
      if (!isCut(error) || validator === undefined || barren >= MAX_BARREN) throw error;
    }
    if (barren > 0) await sleep(PAUSE_MS * 2 ** barren, call.signal);
  }
}

function startOf({
  part,
  from = { position: 0, validator: undefined },
}: DownloadCall): DownloadPlace {
  return part === undefined ? from : { position: part.start, validator: part.validator };
}

/** One request, from the place on; a clean end means that all bytes came. */
async function* contentFrom(
  client: HttpClient,
  call: DownloadCall,
  place: DownloadPlace,
  onValidator: (validator: string | undefined) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const response = await request(client, call, place);
  call.onStart?.(response);
  const validator = place.validator ?? validatorOf(response);
  onValidator(validator);
  let { position } = place;
  const skip = await bytesToSkip(response, call, { position, validator });
  const end = call.part?.end ?? Infinity;
  for await (const chunk of skipBytes(response.body(), skip)) {
    const wanted = chunk.subarray(0, end - position);
    position += wanted.byteLength;
    if (position > call.maxBytes) throw tooLong(call);
    yield wanted;
    if (position >= end) return;
  }
}

function request(
  client: HttpClient,
  call: DownloadCall,
  { position, validator }: DownloadPlace,
): Promise<HttpResponse> {
  const end = call.part === undefined ? "" : call.part.end - 1;
  const isWhole = call.part === undefined && position === 0;
  const range: Readonly<Record<string, string>> =
    isWhole || validator === undefined
      ? {}
      : { range: `bytes=${position}-${end}`, "if-range": validator };
  return callUrl(client, {
    ...call,
    method: "GET",
    isLong: call.part === undefined && call.isLong === true,
    headers: { "accept-encoding": "identity", ...call.headers, ...range },
  });
}

/** What names the bytes of an answer; a weak ETag does not. @see RFC 9110, 13.1.5 If-Range */
export function validatorOf(response: HttpResponse): string | undefined {
  const tag = response.header("etag");
  return tag?.startsWith('"') === true ? tag : response.header("last-modified");
}

/** Bytes of the answer that have come before. @throws RegistryError `REGISTRY_PROTOCOL` when it is another part, or another content. */
async function bytesToSkip(
  response: HttpResponse,
  call: DownloadCall,
  place: DownloadPlace,
): Promise<number> {
  const skip =
    response.status === 206 ? partSkip(response, call, place) : wholeSkip(response, place);
  const length = Number(response.header("content-length") ?? 0);
  if (typeof skip === "number" && (response.status === 206 || length <= call.maxBytes)) return skip;
  await response.drop();
  throw typeof skip === "number" ? tooLong(call) : protocolError(response, call.action, skip);
}

const CHANGED = "changed the content while it was downloaded";

/** What is wrong with it in words, where it is not the content. */
function wholeSkip(
  response: HttpResponse,
  { position, validator }: DownloadPlace,
): number | string {
  return position === 0 || validatorOf(response) === validator ? position : CHANGED;
}

function partSkip(
  response: HttpResponse,
  { part }: DownloadCall,
  { position, validator }: DownloadPlace,
): number | string {
  const tag = response.header("etag") ?? validator;
  if (validator?.startsWith('"') === true && tag !== validator) return CHANGED;
  const start = Number(/^bytes (\d+)-/.exec(response.header("content-range") ?? "")?.[1]);
  const isAsked = position > 0 || part !== undefined;
  return isAsked && start <= position ? position - start : "gave another part than was asked for";
}

function isCut(error: unknown): boolean {
  return (
    error instanceof RegistryError &&
    (error.code === "REGISTRY_UNREACHABLE" || error.code === "TIMEOUT")
  );
}

function tooLong({ action, maxBytes, url }: DownloadCall): ToolError {
  return new ToolError(
    "LIMIT_EXCEEDED",
    `${action}: "${url.host}" has more than ${maxBytes} bytes for it`,
    { action },
  );
}

async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal });
}
