import type { Digest } from "../oci/index.ts";
import { answer, answerBytes, requireWritable, type Context, type Exchange } from "./exchange.ts";
import { Fault } from "./fault.ts";

/** What a blob request names. */
export interface BlobTarget {
  readonly name: string;
  readonly digest: Digest;
}

/** GET and HEAD of a blob, with ranges. Content goes out as it is on disk; clients verify it by its digest. @see distribution-spec, end-2 */
export async function getBlob(
  context: Context,
  exchange: Exchange,
  target: BlobTarget,
): Promise<void> {
  const size =
    (await context.repositories.findBlob(target.name, target.digest)) ??
    (await fetched(context, target));
  if (size === undefined) throw unknownBlob(target);
  const headers = {
    "Content-Type": "application/octet-stream",
    "Docker-Content-Digest": target.digest,
    "Accept-Ranges": "bytes",
    ETag: `"${target.digest}"`,
  };
  if (exchange.request.headers["if-none-match"] === headers.ETag)
    return answer(exchange, 304, headers);
  const range = parseRange(exchange.request.headers.range, size);
  if (range === "unsatisfiable")
    throw new Fault(416, "SIZE_INVALID", {
      message: `the blob has ${size} bytes`,
      headers: { "Content-Range": `bytes */${size}` },
    });
  const { start, end } = range ?? { start: 0, end: size };
  const partial =
    range === undefined ? {} : { "Content-Range": `bytes ${start}-${end - 1}/${size}` };
  await answerBytes(exchange, range === undefined ? 200 : 206, {
    headers: { ...headers, ...partial, "Content-Length": end - start },
    open: () => context.store.read(target.digest, { start, end, signal: exchange.signal }),
  });
}

/** A blob that a manifest of the repository needs may be to be had elsewhere. @returns its size, or nothing. */
async function fetched(context: Context, target: BlobTarget): Promise<number | undefined> {
  if (!(await context.repositories.isReachable(target.name, target.digest))) return undefined;
  try {
    await context.fetchBlob(target.digest);
  } catch (error) {
    throw new Fault(502, "BLOB_UNKNOWN", {
      message: `the store lacks "${target.digest}", and it cannot be fetched: ${error instanceof Error ? error.message : "unknown reason"}`,
      cause: error,
    });
  }
  return context.repositories.findBlob(target.name, target.digest);
}

/** Takes a blob out of a repository; its bytes go with the next collection. @see distribution-spec, end-10 */
export async function deleteBlob(
  context: Context,
  exchange: Exchange,
  target: BlobTarget,
): Promise<void> {
  requireWritable(context);
  if ((await context.repositories.findBlob(target.name, target.digest)) === undefined)
    throw unknownBlob(target);
  if (await context.repositories.isReachable(target.name, target.digest)) {
    throw new Fault(405, "UNSUPPORTED", {
      message: `"${target.digest}" belongs to a manifest of "${target.name}"; delete the manifest first`,
    });
  }
  await context.repositories.unlink(target.name, target.digest);
  answer(exchange, 202);
}

/** A half-open range, `undefined` for the whole, or that it cannot be satisfied. */
type Range = { readonly start: number; readonly end: number } | "unsatisfiable" | undefined;

/** Reads a `Range` header. What is no single byte range is ignored, as RFC 9110 section 14.2 allows. */
export function parseRange(header: string | undefined, size: number): Range {
  const [, first, last] = /^bytes=(\d{0,16})-(\d{0,16})$/.exec(header ?? "") ?? [];
  if (first === undefined || last === undefined || first + last === "") return undefined;
  if (first === "")
    return Number(last) === 0 || size === 0
      ? "unsatisfiable"
      : { start: Math.max(0, size - Number(last)), end: size };
  const start = Number(first);
  const end = last === "" ? size : Math.min(size, Number(last) + 1);
  return start < end ? { start, end } : "unsatisfiable";
}

function unknownBlob(target: BlobTarget): Fault {
  return new Fault(404, "BLOB_UNKNOWN", {
    message: `"${target.name}" has no blob "${target.digest}"`,
    detail: { digest: target.digest },
  });
}
