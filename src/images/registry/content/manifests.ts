import { ContentError, RegistryError } from "../../../ground/errors/index.ts";
import type { Bytes, CallOptions } from "../../../ground/bytes/index.ts";
import {
  digestOf,
  isDigest,
  isIndexType,
  isManifestType,
  MAX_MANIFEST_BYTES,
  MEDIA_TYPES,
  readVerified,
  verifyBytes,
  type Descriptor,
  type Digest,
  type Reference,
} from "../../oci/index.ts";
import { type HttpResponse, protocolError } from "../../../ground/http/index.ts";
import {
  callRepository,
  nameOf,
  readRepository,
  type RepositoryContext,
} from "./repository-context.ts";

/** Every form of manifest that is read. */
const MANIFEST_ACCEPT: string = [
  MEDIA_TYPES.imageManifest,
  MEDIA_TYPES.imageIndex,
  MEDIA_TYPES.dockerManifest,
  MEDIA_TYPES.dockerManifestList,
].join(", ");

/** True for content that a registry keeps among its manifests. */
export function isManifestLike(target: Pick<Descriptor, "mediaType">): boolean {
  return isManifestType(target.mediaType) || isIndexType(target.mediaType);
}

/** `:tag` or `@digest`; a digest wins over a tag, and neither means `latest`. */
function selectorOf(reference: Pick<Reference, "tag" | "digest">): {
  readonly path: string;
  readonly shown: string;
} {
  if (reference.digest !== undefined)
    return { path: reference.digest, shown: `@${reference.digest}` };
  const tag = reference.tag ?? "latest";
  return { path: tag, shown: `:${tag}` };
}

/**
 * Asks what a tag or digest points at. A HEAD is enough where its answer tells type, digest and length; what it tells is checked
 * when the content is opened.
 * @throws ContentError `REFERENCE_NOT_FOUND`.
 */
export async function resolveManifest(
  context: RepositoryContext,
  reference: Pick<Reference, "tag" | "digest">,
  options: CallOptions,
): Promise<Descriptor> {
  const selector = selectorOf(reference);
  const action = `resolve ${nameOf(context, selector.shown)}`;
  const call = {
    action,
    path: `/manifests/${selector.path}`,
    access: "pull",
    headers: { accept: MANIFEST_ACCEPT },
    signal: options.signal,
  } as const;
  const head = await readRepository(context, { ...call, method: "HEAD", accept: [200, 404, 405] });
  await head.discard();
  if (head.status === 404)
    throw new ContentError("REFERENCE_NOT_FOUND", `${action}: there is no such image`, {
      hint: "check the name and the tag",
    });
  const told = head.status === 200 ? describeHead(head, reference.digest) : undefined;
  if (told !== undefined) return told;
  const response = await readRepository(context, {
    ...call,
    method: "GET",
    accept: [200],
    notFound: "REFERENCE_NOT_FOUND",
  });
  return describeBody(response, await readManifest(response, action), {
    action,
    digest: reference.digest,
  });
}

/** The bytes of a manifest, verified. @throws ContentError `BLOB_NOT_FOUND`. */
export async function fetchManifest(
  context: RepositoryContext,
  target: Descriptor,
  options: CallOptions,
): Promise<Uint8Array> {
  const action = `pull ${nameOf(context, `@${target.digest}`)}`;
  const response = await readRepository(context, {
    action,
    method: "GET",
    path: `/manifests/${target.digest}`,
    access: "pull",
    headers: { accept: MANIFEST_ACCEPT },
    accept: [200],
    notFound: "BLOB_NOT_FOUND",
    signal: options.signal,
  });
  const bytes = await readManifest(response, action);
  context.counters.bytesDownloaded += bytes.byteLength;
  for await (const _chunk of verifyBytes(once(bytes), target)); // throws when it is not what was asked for
  return bytes;
}

/** Whether a manifest of that digest is there. */
export async function hasManifest(
  context: RepositoryContext,
  target: Descriptor,
  options: CallOptions,
): Promise<boolean> {
  const response = await callRepository(context, {
    action: `look for ${nameOf(context, `@${target.digest}`)}`,
    method: "HEAD",
    path: `/manifests/${target.digest}`,
    access: "pull",
    headers: { accept: MANIFEST_ACCEPT },
    accept: [200, 404],
    signal: options.signal,
  });
  await response.discard();
  return response.status === 200 && hasLength(response, target.size);
}

/** False only when the answer states another length. */
export function hasLength(response: HttpResponse, size: number): boolean {
  const stated = response.header("content-length");
  return (
    stated === undefined ||
    response.header("content-encoding") !== undefined ||
    Number(stated) === size
  );
}

/** What a manifest that was put is. */
export interface PutManifest {
  readonly target: Descriptor;
  readonly bytes: Uint8Array;
  /** A tag, or the digest itself. */
  readonly selector: string;
}

/**
 * Writes a manifest under a tag or its digest.
 * @returns true when the registry understood its `subject`.
 * @throws RegistryError `REGISTRY_PROTOCOL` when the registry stored it under another digest.
 */
export async function putManifest(
  context: RepositoryContext,
  { target, bytes, selector }: PutManifest,
  options: CallOptions,
): Promise<boolean> {
  const shown = isDigest(selector) ? `@${selector}` : `:${selector}`;
  const action = `push ${nameOf(context, shown)}`;
  context.counters.bytesUploaded += bytes.byteLength;
  const response = await callRepository(context, {
    action,
    method: "PUT",
    path: `/manifests/${selector}`,
    access: "push",
    headers: { "content-type": target.mediaType },
    body: { kind: "bytes", bytes },
    accept: [200, 201, 202, 204],
    signal: options.signal,
  });
  await response.discard();
  const stored = response.header("docker-content-digest");
  if (
    stored !== undefined &&
    stored !== target.digest &&
    stored.split(":")[0] === target.digest.split(":")[0]
  )
    throw protocolError(
      response,
      action,
      `stored the manifest as "${stored.slice(0, 150)}" instead of "${target.digest}"`,
    );
  if (response.status !== 201) await confirm(context, target, { action, signal: options.signal });
  return response.header("oci-subject") !== undefined;
}

/** Reads the content of a manifest that is to be put. @throws ContentError when it is not what its descriptor says. */
export async function collectManifest(
  target: Descriptor,
  content: Bytes,
  options: CallOptions,
): Promise<Uint8Array> {
  return readVerified(content, target, { maxBytes: MAX_MANIFEST_BYTES, signal: options.signal });
}

/** An answer that is a success but not the one of the spec is believed only after another look. */
async function confirm(
  context: RepositoryContext,
  target: Descriptor,
  options: CallOptions & { readonly action: string },
): Promise<void> {
  if (await hasManifest(context, target, options)) return;
  throw new RegistryError(
    "REGISTRY_PROTOCOL",
    `${options.action}: the registry reported success, but the manifest is not there`,
    { method: "HEAD", url: `/v2/${context.name}/manifests/${target.digest}` },
  );
}

function describeHead(response: HttpResponse, digest: Digest | undefined): Descriptor | undefined {
  const mediaType = mediaTypeOf(response);
  const stated = response.header("docker-content-digest");
  const known = digest ?? (isDigest(stated) ? stated : undefined);
  const length = response.header("content-length");
  if (
    mediaType === undefined ||
    known === undefined ||
    length === undefined ||
    !/^\d{1,9}$/.test(length) ||
    !isManifestLike({ mediaType })
  )
    return undefined;
  return { mediaType, digest: known, size: Number(length) };
}

function describeBody(
  response: HttpResponse,
  bytes: Uint8Array,
  expected: { readonly action: string; readonly digest: Digest | undefined },
): Descriptor {
  const actual = digestOf(bytes);
  const { digest = actual, action } = expected;
  if (digest.startsWith("sha256:") && digest !== actual)
    throw new ContentError(
      "DIGEST_MISMATCH",
      `${action}: the registry gave content of digest "${actual}"`,
      { expected: digest, actual, bytesRead: bytes.byteLength },
    );
  return {
    mediaType: statedType(bytes) ?? mediaTypeOf(response) ?? MEDIA_TYPES.imageManifest,
    digest,
    size: bytes.byteLength,
  };
}

function mediaTypeOf(response: HttpResponse): string | undefined {
  const type = response.header("content-type")?.split(";")[0]?.trim();
  return type === undefined || type === "" ? undefined : type;
}

/** A registry that forgot the type sends a general one; the document itself may know. */
function statedType(bytes: Uint8Array): string | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    return typeof value === "object" &&
      value !== null &&
      "mediaType" in value &&
      typeof value.mediaType === "string"
      ? value.mediaType
      : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined; // whoever parses it says so
  }
}

async function readManifest(response: HttpResponse, action: string): Promise<Uint8Array> {
  const bytes = await response.readBytes(MAX_MANIFEST_BYTES + 1);
  if (bytes.byteLength > MAX_MANIFEST_BYTES)
    throw new ContentError(
      "LIMIT_EXCEEDED",
      `${action}: the manifest is longer than ${MAX_MANIFEST_BYTES} bytes`,
    );
  return bytes;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
