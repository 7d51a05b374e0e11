import { oneChunk } from "../../ground/bytes/index.ts";
import { createHash } from "node:crypto";
import {
  MAX_MANIFEST_BYTES,
  MEDIA_TYPES,
  parseDigest,
  type Descriptor,
  type Digest,
} from "../oci/index.ts";
import {
  answer,
  answerBytes,
  bodyOf,
  pathOf,
  requireWritable,
  type Context,
  type Exchange,
} from "./exchange.ts";
import { Fault } from "./fault.ts";
import { parseManifestFacts, type ManifestFacts } from "./manifest-facts.ts";
import { storeReference } from "./repositories.ts";
import { parseTag, type ManifestTarget } from "./route.ts";

/** What a manifest request names. */
export interface ManifestRequest {
  readonly name: string;
  readonly target: ManifestTarget;
}

const MAX_TAG_PARAMETERS = 100;

/** GET and HEAD of a manifest or index. @see distribution-spec, end-3, content-negotiation.md */
export async function getManifest(
  context: Context,
  exchange: Exchange,
  asked: ManifestRequest,
): Promise<void> {
  const found = await context.repositories.findManifest(asked.name, asked.target);
  if (found === undefined || (await context.store.sizeOf(found.digest)) === undefined)
    throw unknownManifest(asked);
  const descriptor = await negotiate(context, exchange, { asked, found });
  const headers = {
    "Content-Type": descriptor.mediaType,
    "Content-Length": descriptor.size,
    "Docker-Content-Digest": descriptor.digest,
    ETag: `"${descriptor.digest}"`,
  };
  if (exchange.request.headers["if-none-match"] === headers.ETag)
    return answer(exchange, 304, headers);
  await answerBytes(exchange, 200, {
    headers,
    open: () => context.store.open(descriptor, { signal: exchange.signal }),
  });
}

/** Takes a manifest or index, under a tag, a digest, or a digest and several tags. @see distribution-spec, end-7 */
export async function putManifest(
  context: Context,
  exchange: Exchange,
  asked: ManifestRequest,
): Promise<void> {
  requireWritable(context);
  const { name, target } = asked;
  const bytes = Buffer.concat(await Array.fromAsync(bodyOf(exchange, MAX_MANIFEST_BYTES)));
  const facts = parseManifestFacts(bytes, exchange.request.headers["content-type"]);
  const descriptor: Descriptor = {
    mediaType: facts.mediaType,
    digest: checkedDigest(bytes, target),
    size: bytes.byteLength,
  };
  const tags = [
    ...("tag" in target ? [target.tag] : []),
    ...exchange.query.getAll("tag").slice(0, MAX_TAG_PARAMETERS).map(parseTag),
  ];
  await requireContents(context, name, facts);
  await context.store.put(descriptor, oneChunk(bytes), { signal: exchange.signal });
  // The digest is recorded beside the tag: who pinned it must still find it when the tag has moved on.
  await context.store.tag(descriptor, storeReference(name, { digest: descriptor.digest }));
  for (const tag of tags) await context.store.tag(descriptor, storeReference(name, { tag }));
  answer(exchange, 201, {
    Location: pathOf(name, `manifests/${descriptor.digest}`),
    "Docker-Content-Digest": descriptor.digest,
    ...(facts.subject === undefined ? {} : { "OCI-Subject": facts.subject }),
    ...("digest" in target && tags.length > 0 ? { "OCI-Tag": tags } : {}),
  });
}

/** Removes a tag, or a manifest with all tags that point at it. @see distribution-spec, end-9 */
export async function deleteManifest(
  context: Context,
  exchange: Exchange,
  asked: ManifestRequest,
): Promise<void> {
  requireWritable(context);
  const { target } = asked;
  const images = await context.repositories.images(asked.name);
  const meant = images.filter((image) =>
    "tag" in target
      ? image.reference.tag === target.tag
      : image.descriptor.digest === target.digest,
  );
  if (meant.length === 0) throw unknownManifest(asked);
  for (const image of meant) await context.store.untag(image.reference);
  answer(exchange, 202);
}

async function negotiate(
  context: Context,
  exchange: Exchange,
  options: { readonly asked: ManifestRequest; readonly found: Descriptor },
): Promise<Descriptor> {
  const { asked, found } = options;
  const { accept } = exchange.request.headers;
  if (accepts(accept, found.mediaType)) return found;
  // Clients from before multi-platform images ask by tag for a plain manifest; they get what every registry gives them.
  const isIndex =
    found.mediaType === MEDIA_TYPES.imageIndex ||
    found.mediaType === MEDIA_TYPES.dockerManifestList;
  const child = isIndex && "tag" in asked.target ? await defaultChild(context, found) : undefined;
  if (child !== undefined && accepts(accept, child.mediaType)) return child;
  throw new Fault(404, "MANIFEST_UNKNOWN", {
    message: `the manifest is "${found.mediaType}", which the client does not accept`,
  });
}

function accepts(header: string | undefined, mediaType: string): boolean {
  if (header === undefined || header.trim() === "") return true;
  return header.split(",").some((part) => {
    const [range = "", ...parameters] = part.split(";").map((piece) => piece.trim().toLowerCase());
    return (
      (range === mediaType || range === "*/*" || range === "application/*") &&
      !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
    );
  });
}

async function defaultChild(context: Context, index: Descriptor): Promise<Descriptor | undefined> {
  const bytes = Buffer.concat(await Array.fromAsync(context.store.open(index)));
  const child = parseManifestFacts(bytes, index.mediaType).manifests.find(
    ({ platform }) => platform?.os === "linux" && platform.architecture === "amd64",
  );
  if (child === undefined || (await context.store.sizeOf(child.digest)) !== child.size)
    return undefined;
  return { mediaType: child.mediaType, digest: child.digest, size: child.size };
}

function checkedDigest(bytes: Uint8Array, target: ManifestTarget): Digest {
  const algorithm = "digest" in target && target.digest.startsWith("sha512:") ? "sha512" : "sha256";
  const digest = parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`);
  if ("digest" in target && target.digest !== digest)
    throw new Fault(400, "DIGEST_INVALID", {
      message: `the manifest that came has the digest "${digest}", not "${target.digest}"`,
    });
  return digest;
}

async function requireContents(
  context: Context,
  name: string,
  facts: ManifestFacts,
): Promise<void> {
  for (const { kind, digest } of facts.required) {
    const found =
      kind === "blob"
        ? await context.repositories.findBlob(name, digest)
        : await context.repositories.findManifest(name, { digest });
    if (found === undefined)
      throw new Fault(400, "MANIFEST_BLOB_UNKNOWN", {
        message: `"${name}" has no ${kind} "${digest}"`,
        detail: { digest },
      });
  }
}

function unknownManifest(asked: ManifestRequest): Fault {
  const { name, target } = asked;
  return new Fault(404, "MANIFEST_UNKNOWN", {
    message: `"${name}" has no manifest "${"tag" in target ? target.tag : target.digest}"`,
  });
}
