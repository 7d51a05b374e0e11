import { skipBytes, type CallOptions } from "../../../ground/bytes/index.ts";
import { ContentError, redactUrl, RegistryError } from "../../../ground/errors/index.ts";
import { verifyBytes, type Descriptor } from "../../oci/index.ts";
import type { OpenOptions } from "../contracts.ts";
import { type HttpResponse, protocolError, readRanges } from "../../../ground/http/index.ts";
import { nameOf, readRepository, type RepositoryContext } from "./repository-context.ts";

/** Cuts in a row without a single new byte before a download is given up. */
const MAX_BARREN = 4;
const PAUSE_MS = 100;

/**
 * Streams a blob and verifies it. A connection that breaks off is taken up again with a range request; every byte goes into
 * the same hash, so what the registry says about ranges is never trusted.
 */
export async function* readBlob(
  context: RepositoryContext,
  target: Descriptor,
  options: OpenOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { offset = 0, isRaw = false, signal } = options;
  if (isRaw) return yield* readRaw(context, target, { offset, signal });
  const content = readFrom(context, target, { start: offset, end: target.size, signal });
  if (offset > 0) yield* content;
  else yield* verifyBytes(content, target, { signal, place: nameOf(context) });
}

/** Connections for large blobs, whether they are of one or of several; one of them for each blob at least. */
const LARGE_CONNECTIONS = 4;

/** The blob for somebody who verifies it: in large pieces, over several connections where one is slow. */
async function* readRaw(
  context: RepositoryContext,
  target: Descriptor,
  options: OpenOptions & { readonly offset: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  context.large.count += 1;
  try {
    yield* readInParts(context, target, options);
  } finally {
    context.large.count -= 1;
  }
}

function readInParts(
  context: RepositoryContext,
  target: Descriptor,
  { offset, signal }: OpenOptions & { readonly offset: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  let hasParts = false;
  const onStart = (response: HttpResponse): void => {
    hasParts = response.status === 206 || response.header("accept-ranges") === "bytes";
  };
  const whole = { start: offset, end: target.size, signal, isLong: true, onStart };
  return readRanges(
    {
      size: () => (hasParts ? target.size : undefined),
      rest: () => readFrom(context, target, whole),
      part: (start, end, own) =>
        readFrom(context, target, {
          ...{ start, end },
          signal: signal === undefined ? own : AbortSignal.any([signal, own]),
        }),
    },
    { offset, connections: () => LARGE_CONNECTIONS - context.large.count + 1 },
  );
}

interface BlobPart extends CallOptions {
  readonly start: number;
  readonly end: number;
  /** As of `HttpRequest`. */
  readonly isLong?: boolean;
  /** Told of each answer's head. */
  readonly onStart?: (response: HttpResponse) => void;
}

async function* readFrom(
  context: RepositoryContext,
  target: Descriptor,
  part: BlobPart,
): AsyncGenerator<Uint8Array, void, undefined> {
  let position = part.start;
  let barren = 0;
  for (;;) {
    const before = position;
    try {
      for await (const chunk of readOnce(context, target, { ...part, start: position })) {
        position += chunk.byteLength;
        yield chunk;
      }
      return;
    } catch (error) {
      barren = position > before ? 0 : barren + 1;
      if (!isCut(error) || barren >= MAX_BARREN) throw error;
      context.counters.retries += 1;
    }
    if (barren > 0) await context.sleep(PAUSE_MS * 2 ** barren, part.signal);
  }
}

/** One request for a part; a clean end means that all its bytes came. */
async function* readOnce(
  context: RepositoryContext,
  target: Descriptor,
  part: BlobPart,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { response, skip } = await request(context, target, part);
  part.onStart?.(response);
  const isLast = part.end === target.size;
  let position = part.start;
  for await (const chunk of skipBytes(response.body(), skip)) {
    part.signal?.throwIfAborted();
    const wanted = isLast ? chunk : chunk.subarray(0, part.end - position);
    position += wanted.byteLength;
    if (position > target.size) throw tooLong(context, target, position);
    context.counters.bytesDownloaded += wanted.byteLength;
    yield wanted;
    if (!isLast && position === part.end) return;
  }
  if (position < part.end) throw endedEarly(context, target, { position, response });
}

interface OpenPart {
  readonly response: HttpResponse;
  /** Bytes of the answer that were read before. */
  readonly skip: number;
}

async function request(
  context: RepositoryContext,
  target: Descriptor,
  { start: offset, end, signal, isLong }: BlobPart,
): Promise<OpenPart> {
  const response = await readRepository(context, {
    action: `pull ${nameOf(context, `@${target.digest}`)}`,
    method: "GET",
    path: `/blobs/${target.digest}`,
    access: "pull",
    headers: offset === 0 && end === target.size ? {} : { range: `bytes=${offset}-${end - 1}` },
    isLong,
    accept: [200, 206],
    notFound: "BLOB_NOT_FOUND",
    signal,
  });
  if (response.status === 206)
    return { response, skip: await checkRange(context, target, { response, offset }) };
  await checkLength(context, target, { response, want: target.size });
  return { response, skip: offset };
}

/** A 206 must say where it starts; starting sooner than asked is harmless. */
async function checkRange(
  context: RepositoryContext,
  target: Descriptor,
  part: { readonly response: HttpResponse; readonly offset: number },
): Promise<number> {
  const { response, offset } = part;
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.header("content-range") ?? "");
  const start = Number(match?.[1]);
  if (match === null || start > offset || (match[3] !== "*" && Number(match[3]) !== target.size)) {
    await response.drop();
    throw protocolError(
      response,
      `pull ${nameOf(context, `@${target.digest}`)}`,
      `gave another part of the blob than was asked for`,
    );
  }
  return offset - start;
}

async function checkLength(
  context: RepositoryContext,
  target: Descriptor,
  part: { readonly response: HttpResponse; readonly want: number },
): Promise<void> {
  const stated = part.response.header("content-length");
  if (
    stated === undefined ||
    Number(stated) === part.want ||
    part.response.header("content-encoding") !== undefined
  )
    return;
  await part.response.drop();
  throw new ContentError(
    "SIZE_MISMATCH",
    `pull ${nameOf(context, `@${target.digest}`)}: the registry says that it has ${stated} bytes, and the descriptor says ${target.size}`,
    { expected: String(target.size), actual: stated, bytesRead: 0 },
  );
}

function isCut(error: unknown): boolean {
  return (
    error instanceof RegistryError &&
    (error.code === "REGISTRY_UNREACHABLE" || error.code === "TIMEOUT")
  );
}

function tooLong(context: RepositoryContext, target: Descriptor, position: number): ContentError {
  return new ContentError(
    "SIZE_MISMATCH",
    `pull ${nameOf(context, `@${target.digest}`)}: the registry sent more than the ${target.size} bytes of the descriptor`,
    { expected: String(target.size), actual: String(position), bytesRead: position },
  );
}

/** Without a stated length a cut looks like an end; with one, the blob is shorter than its descriptor says. */
function endedEarly(
  context: RepositoryContext,
  target: Descriptor,
  at: { readonly position: number; readonly response: HttpResponse },
): Error {
  const { position, response } = at;
  const message = `pull ${nameOf(context, `@${target.digest}`)}: the answer ended after ${position} of ${target.size} bytes`;
  const isStated =
    response.header("content-length") !== undefined ||
    response.header("transfer-encoding") !== undefined;
  if (isStated)
    return new ContentError("SIZE_MISMATCH", message, {
      expected: String(target.size),
      actual: String(position),
      bytesRead: position,
    });
  return new RegistryError("REGISTRY_UNREACHABLE", message, {
    method: "GET",
    url: redactUrl(response.url.href),
    status: response.status,
  });
}
