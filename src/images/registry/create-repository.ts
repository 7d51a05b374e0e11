import { ContentError, RegistryError } from "../../ground/errors/index.ts";
import { type Bytes, type CallOptions, oneChunk } from "../../ground/bytes/index.ts";
import {
  isDigest,
  isRepository,
  isTag,
  readVerified,
  type Descriptor,
  type Digest,
  type Reference,
  type ReopenableContent,
} from "../oci/index.ts";
import { repositoryScope } from "./auth/scope.ts";
import type { ReferrersOptions, Repository } from "./contracts.ts";
import { readPages, textsOf } from "./content/listings.ts";
import {
  collectManifest,
  fetchManifest,
  hasLength,
  hasManifest,
  isManifestLike,
  putManifest,
  resolveManifest,
} from "./content/manifests.ts";
import { readBlob } from "./content/read-blob.ts";
import {
  addToFallback,
  listReferrers,
  referrerEntry,
  removeFromFallback,
} from "./content/referrers.ts";
import { callRepository, nameOf } from "./content/repository-context.ts";
import { mount, mountSources } from "./upload/mount.ts";
import { cancelSession, hasBlob, openSession } from "./upload/session.ts";
import { SMALL_BYTES, type UploadContext } from "./upload/upload-context.ts";
import { hashedContent, knownContent, singleContent } from "./upload/upload-content.ts";
import { uploadBlob } from "./upload/upload.ts";

/** Manifests that were put and may be tagged next; each a few KiB. */
const MAX_KEPT_MANIFESTS = 64;

/** @param context - its `name` is a legal repository. */
export function createRepository(context: UploadContext): Repository {
  const kept = new Map<Digest, Uint8Array>();
  const keep = (digest: Digest, bytes: Uint8Array): void => {
    kept.set(digest, bytes);
    const [oldest] = kept.keys();
    if (kept.size > MAX_KEPT_MANIFESTS && oldest !== undefined) kept.delete(oldest);
  };
  return {
    registry: context.registry,
    name: context.name,
    hasOwnLimit: true,
    resolve: (reference, options = {}) =>
      resolveManifest(context, own(context, reference), options),
    open: (target, options = {}) =>
      isManifestLike(target)
        ? openManifest(context, target, options)
        : readBlob(context, target, options),
    openFrom: (target, offset, options = {}) => readBlob(context, target, { ...options, offset }),
    has: (target, options = {}) => has(context, target, options),
    async put(target, content, options = {}) {
      if (!isManifestLike(target)) return putBlob(context, target, { content, options });
      const bytes = await collectManifest(target, content, options);
      await putWithSubject(context, { target, bytes, selector: target.digest }, options);
      keep(target.digest, bytes);
      context.places.noteManifest(context.name, bytes);
    },
    async putFrom(target, open, options = {}) {
      await uploadBlob(context, knownContent(target, open), options);
    },
    ingest: (content, size, options = {}) =>
      uploadBlob(context, singleContent(content, size), options),
    ingestFrom: (content, options = {}) => ingestFrom(context, content, options),
    checkPush: async (options = {}) => cancelSession(context, await openSession(context, options)),
    mount: (target, from, options = {}) => mount(context, { target, from }, options),
    mountSources: (target) => mountSources(context, target),
    tag: (target, reference, options = {}) =>
      tag(context, { target, reference, bytes: kept.get(target.digest) }, options),
    listTags: (options = {}) => listTags(context, options),
    referrers: (subject: Digest, options: ReferrersOptions = {}) =>
      listReferrers(context, subject, options),
    deleteManifest: (digest, options = {}) => deleteManifest(context, digest, options),
    deleteBlob: (digest, options = {}) => remove(context, `/blobs/${digest}`, options),
    deleteTag: (name, options = {}) => deleteTag(context, checkedTag(name), options),
  };
}

function own(context: UploadContext, reference: Reference): Reference {
  if (reference.repository !== context.name)
    throw new Error(`"${reference.repository}" was asked of repository "${context.name}"`);
  return reference;
}

async function* openManifest(
  context: UploadContext,
  target: Descriptor,
  options: CallOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  options.signal?.throwIfAborted();
  const bytes = await fetchManifest(context, target, options);
  context.places.noteManifest(context.name, bytes);
  yield bytes;
  options.signal?.throwIfAborted();
}

async function has(
  context: UploadContext,
  target: Descriptor,
  options: CallOptions,
): Promise<boolean> {
  if (isManifestLike(target)) return hasManifest(context, target, options);
  const found = await hasBlob(context, target.digest, options);
  return found !== undefined && hasLength(found, target.size);
}

/** A small blob is read and checked first, so that it can be sent again; a large one is checked by the registry. */
async function putBlob(
  context: UploadContext,
  target: Descriptor,
  { content, options }: { readonly content: Bytes; readonly options: CallOptions },
): Promise<void> {
  options.signal?.throwIfAborted();
  if (target.size > SMALL_BYTES) {
    await uploadBlob(context, singleContent(content, target.size, target.digest), options);
    return;
  }
  const bytes = await readSmall(content, target, options);
  await uploadBlob(
    context,
    knownContent(target, (offset) => oneChunk(bytes.subarray(offset))),
    options,
  );
}

async function ingestFrom(
  context: UploadContext,
  content: ReopenableContent,
  options: CallOptions,
): Promise<Digest> {
  const hashed = hashedContent(content);
  if (context.uploads.quirks.hasPatch) return uploadBlob(context, hashed, options);
  // The registry wants the digest with the bytes: they are read twice.
  const digest = await hashed.digest();
  options.signal?.throwIfAborted();
  if ((await hasBlob(context, digest, options)) !== undefined) return digest;
  return uploadBlob(
    context,
    knownContent({ digest, size: content.size }, (offset) => content.open(offset)),
    options,
  );
}

interface Tagging {
  readonly target: Descriptor;
  readonly reference: Reference;
  readonly bytes: Uint8Array | undefined;
}

/** A manifest that was just put is put again under its tag; one that was there before is fetched, unless the tag is right already. */
async function tag(
  context: UploadContext,
  { target, reference, bytes }: Tagging,
  options: CallOptions,
): Promise<void> {
  const { tag: name, digest } = own(context, reference);
  if (digest !== undefined && digest !== target.digest)
    throw new ContentError(
      "DIGEST_MISMATCH",
      `tag ${nameOf(context, `@${digest}`)}: the manifest has digest "${target.digest}"`,
      { expected: digest, actual: target.digest },
    );
  if (name === undefined && digest !== undefined) return;
  const selector = checkedTag(name ?? "latest");
  if (
    bytes === undefined &&
    (await isTagged(context, selector, { digest: target.digest, signal: options.signal }))
  )
    return;
  const content = bytes ?? (await fetchManifest(context, target, options));
  await putManifest(context, { target, bytes: content, selector }, options);
}

async function isTagged(
  context: UploadContext,
  selector: string,
  want: { readonly digest: Digest } & CallOptions,
): Promise<boolean> {
  const found = await resolveManifest(context, { tag: selector }, want).catch((error: unknown) => {
    if (error instanceof ContentError && error.code === "REFERENCE_NOT_FOUND") return undefined;
    throw error;
  });
  return found?.digest === want.digest;
}

/** Where the registry does not keep the list of referrers, the client does. @see distribution-spec, spec.md#pushing-manifests-with-subject */
async function putWithSubject(
  context: UploadContext,
  manifest: Parameters<typeof putManifest>[1],
  options: CallOptions,
): Promise<void> {
  const hasUnderstood = await putManifest(context, manifest, options);
  const referrer = hasUnderstood ? undefined : referrerEntry(manifest.target, manifest.bytes);
  if (referrer !== undefined) await addToFallback(context, referrer, options);
}

async function* listTags(
  context: UploadContext,
  options: CallOptions,
): AsyncGenerator<string, void, undefined> {
  const action = `list tags of ${nameOf(context)}`;
  const scopes = [repositoryScope(context.name, "pull")];
  const ask = (next: URL | undefined) =>
    context.transport.call({
      action,
      method: "GET",
      target: next ?? `/v2/${context.name}/tags/list`,
      scopes,
      repository: context.name,
      accept: [200],
      notFound: "REFERENCE_NOT_FOUND",
      signal: options.signal,
    });
  for await (const page of readPages(ask, { action, signal: options.signal }))
    yield* textsOf(page, "tags", action);
}

async function deleteManifest(
  context: UploadContext,
  digest: Digest,
  options: CallOptions,
): Promise<void> {
  const target = await resolveManifest(context, { digest }, options);
  const referrer = referrerEntry(target, await fetchManifest(context, target, options));
  await remove(context, `/manifests/${digest}`, options);
  // Harmless where the registry keeps the list itself: there is no such tag then.
  if (referrer !== undefined) await removeFromFallback(context, referrer, options);
}

/** Many registries take digests only here, and say so in their own ways. */
async function deleteTag(context: UploadContext, tag: string, options: CallOptions): Promise<void> {
  try {
    await remove(context, `/manifests/${tag}`, options);
  } catch (error) {
    if (!(error instanceof RegistryError) || error.status !== 400) throw error;
    const { method, url, status, diagnostics } = error;
    throw new RegistryError(
      "REGISTRY_REFUSED",
      `delete ${nameOf(context, `:${tag}`)}: the registry does not delete single tags`,
      { method, url, status, diagnostics, cause: error },
    );
  }
}

async function remove(context: UploadContext, path: string, options: CallOptions): Promise<void> {
  const action = `delete ${nameOf(context, path.startsWith("/manifests/sha") || path.startsWith("/blobs/") ? `@${path.slice(path.lastIndexOf("/") + 1)}` : `:${path.slice(path.lastIndexOf("/") + 1)}`)}`;
  const response = await callRepository(context, {
    action,
    method: "DELETE",
    path,
    access: "delete",
    accept: [202, 200, 204, 405],
    notFound: "REFERENCE_NOT_FOUND",
    signal: options.signal,
  });
  await response.discard();
  if (response.status === 405) {
    throw new RegistryError("REGISTRY_REFUSED", `${action}: the registry does not delete`, {
      method: "DELETE",
      url: response.url.origin,
      status: 405,
      hint: "its operator has to allow it",
    });
  }
}

function checkedTag(name: string): string {
  if (!isTag(name) || isDigest(name))
    throw new ContentError("REFERENCE_INVALID", `use tag "${name.slice(0, 150)}": it is not a tag`);
  return name;
}

/** @throws ContentError `REFERENCE_INVALID`. */
export function checkedRepository(name: string): string {
  if (!isRepository(name))
    throw new ContentError(
      "REFERENCE_INVALID",
      `use repository "${name.slice(0, 300)}": it is not a repository name`,
    );
  return name;
}

async function readSmall(
  content: Bytes,
  target: Descriptor,
  options: CallOptions,
): Promise<Uint8Array> {
  return readVerified(content, target, { maxBytes: SMALL_BYTES, signal: options.signal });
}
