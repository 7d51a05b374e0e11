import type { Digest } from "../oci/index.ts";
import {
  announcedLength,
  answer,
  bodyOf,
  pathOf,
  requireWritable,
  type Context,
  type Exchange,
} from "./exchange.ts";
import { Fault } from "./fault.ts";
import { isName, parseRequestDigest } from "./route.ts";
import { rangeOf, type HashAlgorithm, type UploadSession } from "./upload-sessions.ts";

/** Starts an upload, takes a whole blob in one request, or mounts one. @see distribution-spec, end-4a, end-4b, end-11 */
export async function startUpload(
  context: Context,
  exchange: Exchange,
  name: string,
): Promise<void> {
  requireWritable(context);
  const mount = exchange.query.get("mount");
  if (
    mount !== null &&
    (await mountBlob(context, {
      name,
      digest: parseRequestDigest(mount),
      from: exchange.query.get("from"),
    }))
  ) {
    return answerCreated(exchange, name, parseRequestDigest(mount));
  }
  const digest = exchange.query.has("digest")
    ? parseRequestDigest(exchange.query.get("digest"))
    : undefined;
  const session = await context.uploads.create(
    name,
    digest === undefined ? announcedAlgorithm(exchange) : algorithmOf(digest),
  );
  if (digest === undefined) return answerProgress(context, exchange, { session, status: 202 });
  try {
    await context.uploads.append(session, bodyOf(exchange), { signal: exchange.signal });
    await finish(context, session, digest);
  } catch (error) {
    await context.uploads.remove(session);
    throw error;
  }
  answerCreated(exchange, name, digest);
}

/** Adds bytes to an upload: a chunk with `Content-Range`, or a stream without. @see distribution-spec, end-5 */
export async function continueUpload(
  context: Context,
  exchange: Exchange,
  session: UploadSession,
): Promise<void> {
  requireWritable(context);
  await context.uploads.append(session, bodyOf(exchange), {
    start: parseChunkStart(exchange),
    signal: exchange.signal,
  });
  await answerProgress(context, exchange, { session, status: 202 });
}

/** Closes an upload, with or without last bytes. @see distribution-spec, end-6 */
export async function closeUpload(
  context: Context,
  exchange: Exchange,
  session: UploadSession,
): Promise<void> {
  requireWritable(context);
  const digest = parseRequestDigest(exchange.query.get("digest"));
  if (announcedLength(exchange) !== 0)
    await context.uploads.append(session, bodyOf(exchange), {
      start: parseChunkStart(exchange),
      signal: exchange.signal,
    });
  // After a restart the whole file is hashed now, and the connection is silent for as long as that takes.
  exchange.request.socket.setTimeout(0);
  await finish(context, session, digest);
  answerCreated(exchange, session.name, digest);
}

/** Tells how far an upload is. @see distribution-spec, end-13 */
export async function getUpload(
  context: Context,
  exchange: Exchange,
  session: UploadSession,
): Promise<void> {
  await answerProgress(context, exchange, { session, status: 204 });
}

/** Gives an upload up. */
export async function cancelUpload(
  context: Context,
  exchange: Exchange,
  session: UploadSession,
): Promise<void> {
  requireWritable(context);
  await context.uploads.remove(session);
  answer(exchange, 204);
}

async function mountBlob(
  context: Context,
  options: { readonly name: string; readonly digest: Digest; readonly from: string | null },
): Promise<boolean> {
  const { name, digest, from } = options;
  const { repositories } = context;
  // A source that is no legal name cannot hold the blob: the client then uploads it, as after any mount that failed.
  const size =
    from === null
      ? await repositories.findAnywhere(digest)
      : isName(from)
        ? await repositories.findBlob(from, digest)
        : undefined;
  if (size === undefined) return false;
  await repositories.link(name, digest);
  return true;
}

async function finish(context: Context, session: UploadSession, digest: Digest): Promise<void> {
  const sealed = await context.uploads.seal(session, algorithmOf(digest));
  if (sealed.digest !== digest) {
    await context.uploads.remove(session);
    throw new Fault(400, "DIGEST_INVALID", {
      message: `the ${sealed.size} bytes that came have the digest "${sealed.digest}", not "${digest}"`,
    });
  }
  if (!(await context.store.has({ mediaType: "", digest, size: sealed.size })))
    await context.store.adoptFile(sealed.path, digest);
  await context.repositories.link(session.name, digest);
  await context.uploads.remove(session);
}

function parseChunkStart(exchange: Exchange): number | undefined {
  const header = exchange.request.headers["content-range"];
  if (header === undefined) return undefined;
  // The protocol's form has no unit; some clients send the usual one of HTTP.
  const [, first, last] =
    /^(?:bytes )?(\d{1,16})-(\d{1,16})(?:\/(?:\d{1,16}|\*))?$/.exec(header) ?? [];
  const length = announcedLength(exchange);
  const start = Number(first);
  const size = Number(last) - start + 1;
  if (first === undefined || size < 1)
    throw new Fault(416, "BLOB_UPLOAD_INVALID", { message: `"${header}" is no range of bytes` });
  if (length !== undefined && length !== size)
    throw new Fault(400, "SIZE_INVALID", {
      message: `the range "${header}" has ${size} bytes, but the body has ${length}`,
    });
  return start;
}

function announcedAlgorithm(exchange: Exchange): HashAlgorithm {
  const algorithm = exchange.query.get("digest-algorithm") ?? "sha256";
  if (algorithm === "sha256" || algorithm === "sha512") return algorithm;
  throw new Fault(400, "DIGEST_INVALID", {
    message: `"${algorithm}" is no digest algorithm that this registry knows`,
  });
}

function algorithmOf(digest: Digest): HashAlgorithm {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

async function answerProgress(
  context: Context,
  exchange: Exchange,
  options: { readonly session: UploadSession; readonly status: number },
): Promise<void> {
  const { id, name } = options.session;
  answer(exchange, options.status, {
    Location: pathOf(name, `blobs/uploads/${id}`),
    Range: rangeOf(await context.uploads.offset(options.session)),
    "Docker-Upload-UUID": id,
  });
}

function answerCreated(exchange: Exchange, name: string, digest: Digest): void {
  answer(exchange, 201, {
    Location: pathOf(name, `blobs/${digest}`),
    "Docker-Content-Digest": digest,
  });
}
