import { ContentError } from "../../ground/errors/index.ts";
import type { CallOptions } from "../../ground/bytes/index.ts";
import {
  formatPlatform,
  imageFrom,
  imagePlatform,
  isForeignLayer,
  isIndexType,
  isManifestType,
  MAX_MANIFEST_BYTES,
  openFrom,
  parseManifestOrIndex,
  readVerified,
  selectPlatform,
  type Descriptor,
  type ImageIndex,
  type ImageManifest,
  type Platform,
  type Reference,
  type Sink,
  type Source,
} from "../oci/index.ts";
import { convertIndex, convertManifest, type Document } from "./convert.ts";
import type { CopyOptions, CopyResult } from "./contracts.ts";
import { withScope, type Scope } from "./scope.ts";
import { createTransfer, type Transfer } from "./transfer.ts";

/** How deep indexes may nest, and referrers refer. */
const MAX_DEPTH = 8;

/**
 * Copies an image, an index with all it lists, or an artifact: blobs first, then manifests, indexes and names. What the sink has
 * is not read from the source. After a failure the sink holds whole blobs and manifests only, and no new name.
 *
 * Foreign layers (those whose media type forbids distribution) stay where their URLs point.
 * @throws what source and sink throw; ContentError `REFERENCE_NOT_FOUND` when there is nothing for the platform,
 * `MANIFEST_INVALID`, `DIGEST_MISMATCH`, `SIZE_MISMATCH`. An abort rejects with the signal's reason.
 */
export async function copy(source: Source, sink: Sink, options: CopyOptions): Promise<CopyResult> {
  return withScope(options, async (scope) => {
    const { signal } = scope;
    const found =
      "digest" in options.from && "mediaType" in options.from
        ? options.from
        : await source.resolve(options.from, { signal });
    const target = await choosePlatform(source, found, { ...options, signal });
    const transfer = createTransfer(sink, {
      ...options,
      mountFrom: options.mountFrom ?? mountsOf(options),
      signal,
    });
    const descriptor = await copyNode({ source, transfer, scope, options, depth: 0 }, target);
    for (const reference of options.to ?? []) await sink.tag(descriptor, reference, { signal });
    return { descriptor, ...transfer.counts };
  });
}

interface Context {
  readonly source: Source;
  readonly transfer: Transfer;
  readonly scope: Scope;
  readonly options: CopyOptions;
  readonly depth: number;
}

/** A registry can mount from the repository that the image comes from, when that is one of its own. */
function mountsOf({ from, to = [] }: CopyOptions): readonly Reference[] {
  if (!("registry" in from)) return [];
  return to.some(
    ({ registry, repository }) => registry === from.registry && repository !== from.repository,
  )
    ? [from]
    : [];
}

async function choosePlatform(
  source: Source,
  found: Descriptor,
  { platform, signal }: CallOptions & { readonly platform?: Platform | undefined },
): Promise<Descriptor> {
  if (platform === undefined) return found;
  let target = found;
  for (let depth = 0; isIndexType(target.mediaType); depth += 1) {
    if (depth > MAX_DEPTH) throw tooDeep(target);
    const { descriptor, node } = await readNode(source, target, { signal });
    if (node.kind === "manifest") return descriptor;
    target = selectPlatform(node.index, platform);
  }
  if (target === found) await expectPlatform(source, found, { platform, signal });
  return target;
}

async function expectPlatform(
  source: Source,
  target: Descriptor,
  { platform, signal }: CallOptions & { readonly platform: Platform },
): Promise<void> {
  const is = await imagePlatform(imageFrom(source, target), { signal });
  if (is.os === platform.os && is.architecture === platform.architecture) return;
  throw new ContentError(
    "REFERENCE_NOT_FOUND",
    `choose an image for "${formatPlatform(platform)}": "${target.digest}" is one image, for ${formatPlatform(is)}`,
  );
}

/** Copies a manifest or index with all below it. @returns its descriptor in the sink. */
async function copyNode(context: Context, target: Descriptor): Promise<Descriptor> {
  const { source, scope, depth } = context;
  if (depth > MAX_DEPTH) throw tooDeep(target);
  const { bytes, descriptor, node } = await readNode(source, target, scope);
  const made =
    node.kind === "index"
      ? await copyIndex(context, { descriptor, bytes }, node.index)
      : await copyManifest(context, { descriptor, bytes }, node.manifest);
  await context.transfer.manifest(made.descriptor, made.bytes);
  await copyReferrers(context, target);
  return made.descriptor;
}

async function copyIndex(
  context: Context,
  document: Document,
  index: ImageIndex,
): Promise<Document> {
  const below = { ...context, depth: context.depth + 1 };
  const copied = await context.scope.all(
    index.manifests.map((child) =>
      isNode(child) ? copyNode(below, child) : copyOther(below, child),
    ),
  );
  return context.options.convert === "oci" ? convertIndex(document, index, copied) : document;
}

async function copyManifest(
  context: Context,
  document: Document,
  manifest: ImageManifest,
): Promise<Document> {
  const blobs = [manifest.config, ...manifest.layers].filter(
    ({ mediaType }) => !isForeignLayer(mediaType),
  );
  await context.scope.all(blobs.map((blob) => copyBlob(context, blob)));
  return context.options.convert === "oci"
    ? convertManifest(context.source, document, context.scope)
    : document;
}

async function copyBlob(
  { source, transfer, options: { labelOf } }: Context,
  descriptor: Descriptor,
): Promise<void> {
  const label = labelOf?.(descriptor) ?? descriptor.annotations?.["org.opencontainers.image.title"];
  await transfer.blob({
    descriptor,
    label,
    open: (offset, options) => openFrom(source, descriptor, { ...options, offset }),
  });
}

/** An index may list content that is neither a manifest nor an index; it is a blob like any other. */
async function copyOther(context: Context, descriptor: Descriptor): Promise<Descriptor> {
  await copyBlob(context, descriptor);
  return descriptor;
}

async function copyReferrers(context: Context, subject: Descriptor): Promise<void> {
  const found =
    (await context.options.referrersOf?.(subject, { signal: context.scope.signal })) ?? [];
  await context.scope.all(
    found.map((referrer) => copyNode({ ...context, depth: context.depth + 1 }, referrer)),
  );
}

type Node = ReturnType<typeof parseManifestOrIndex>;

async function readNode(
  source: Source,
  target: Descriptor,
  options: CallOptions,
): Promise<Document & { readonly node: Node }> {
  const { signal } = options;
  const bytes = await readVerified(source.open(target, { signal }), target, {
    signal,
    maxBytes: MAX_MANIFEST_BYTES,
  });
  return { bytes, descriptor: target, node: parseManifestOrIndex(bytes, target.mediaType) };
}

function isNode({ mediaType }: Descriptor): boolean {
  return isIndexType(mediaType) || isManifestType(mediaType);
}

function tooDeep(target: Descriptor): ContentError {
  return new ContentError(
    "LIMIT_EXCEEDED",
    `copy "${target.digest}": indexes or referrers are nested more than ${MAX_DEPTH} deep`,
  );
}
