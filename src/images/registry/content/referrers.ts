import { RegistryError } from "../../../ground/errors/index.ts";
import type { CallOptions } from "../../../ground/bytes/index.ts";
import {
  createIndex,
  isIndexType,
  MEDIA_TYPES,
  parseIndex,
  parseManifestOrIndex,
  referrersTag,
  type Descriptor,
  type Digest,
} from "../../oci/index.ts";
import type { ReferrersOptions } from "../contracts.ts";
import { readPages, type Page } from "./listings.ts";
import { fetchManifest, putManifest, resolveManifest } from "./manifests.ts";
import { callRepository, nameOf, type RepositoryContext } from "./repository-context.ts";

/** A manifest, and what it refers to. */
export interface Referrer {
  readonly subject: Digest;
  readonly entry: Descriptor;
}

/** How often an update of the fall-back list is repeated when another client has overwritten it meanwhile. */
const MAX_TRIES = 4;

/**
 * Lists the manifests that refer to another one. It asks the referrers API, and reads the list
 * under the fallback tag where there is no API.
 * @see distribution-spec, spec.md#listing-referrers
 */
export async function listReferrers(
  context: RepositoryContext,
  subject: Digest,
  options: ReferrersOptions,
): Promise<readonly Descriptor[]> {
  const found = await askApi(context, subject, options);
  const all = found ?? (await readFallback(context, subject, options)).manifests;
  return options.artifactType === undefined
    ? all
    : all.filter(({ artifactType }) => artifactType === options.artifactType);
}

/** Enters a manifest into the list of its subject's referrers, for registries that do not do it themselves. */
export async function addToFallback(
  context: RepositoryContext,
  { subject, entry }: Referrer,
  options: CallOptions,
): Promise<void> {
  await changeFallback(
    context,
    {
      subject,
      isDone: (list) => list.some(({ digest }) => digest === entry.digest),
      change: (list) => [...list.filter(({ digest }) => digest !== entry.digest), entry],
    },
    options,
  );
}

/** Takes a deleted manifest out of the list of its subject's referrers. */
export async function removeFromFallback(
  context: RepositoryContext,
  { subject, entry }: Referrer,
  options: CallOptions,
): Promise<void> {
  await changeFallback(
    context,
    {
      subject,
      isDone: (list) => !list.some(({ digest }) => digest === entry.digest),
      change: (list) => list.filter(({ digest }) => digest !== entry.digest),
    },
    options,
  );
}

/** What a list of referrers says of a manifest. */
export function referrerEntry(target: Descriptor, bytes: Uint8Array): Referrer | undefined {
  const document = parseManifestOrIndex(bytes, target.mediaType);
  const { subject, artifactType, annotations } =
    document.kind === "manifest" ? document.manifest : document.index;
  if (subject === undefined) return undefined;
  const type =
    artifactType ?? (document.kind === "manifest" ? document.manifest.config.mediaType : undefined);
  const { mediaType, digest, size } = target;
  return {
    subject: subject.digest,
    entry: {
      mediaType,
      digest,
      size,
      ...(type === undefined ? {} : { artifactType: type }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  };
}

async function askApi(
  context: RepositoryContext,
  subject: Digest,
  options: ReferrersOptions,
): Promise<readonly Descriptor[] | undefined> {
  const action = `list referrers of ${nameOf(context, `@${subject}`)}`;
  const query =
    options.artifactType === undefined
      ? ""
      : `?artifactType=${encodeURIComponent(options.artifactType)}`;
  const call = {
    action,
    method: "GET",
    access: "pull",
    headers: { accept: MEDIA_TYPES.imageIndex },
    signal: options.signal,
  } as const;
  const first = await callRepository(context, {
    ...call,
    path: `/referrers/${subject}${query}`,
    accept: [200, 404, 405, 400],
  });
  const isIndex =
    first.status === 200 && isIndexType(first.header("content-type")?.split(";")[0]?.trim() ?? "");
  if (!isIndex) {
    await first.discard();
    return undefined;
  }
  const pages = readPages(
    (next) =>
      next === undefined
        ? Promise.resolve(first)
        : callRepository(context, { ...call, path: pathOf(context, next), accept: [200] }),
    { action, signal: options.signal },
  );
  const found: Descriptor[] = [];
  for await (const page of pages) found.push(...entriesOf(page));
  return found;
}

function entriesOf(page: Page): readonly Descriptor[] {
  return parseIndex(Buffer.from(JSON.stringify(page.document))).manifests;
}

function pathOf(context: RepositoryContext, url: URL): string {
  const prefix = `/v2/${context.name}`;
  const path = `${url.pathname}${url.search}`;
  if (!path.startsWith(`${prefix}/`))
    throw new RegistryError(
      "REGISTRY_PROTOCOL",
      `list referrers of ${nameOf(context)}: the next page lies in another repository`,
      { method: "GET", url: url.origin },
    );
  return path.slice(prefix.length);
}

interface Fallback {
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

async function readFallback(
  context: RepositoryContext,
  subject: Digest,
  options: CallOptions,
): Promise<Fallback> {
  const target = await resolveManifest(context, { tag: referrersTag(subject) }, options).catch(
    (error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    },
  );
  if (target === undefined) return { manifests: [] };
  const { manifests, annotations } = parseIndex(await fetchManifest(context, target, options));
  return { manifests, ...(annotations === undefined ? {} : { annotations }) };
}

interface Change {
  readonly subject: Digest;
  readonly isDone: (list: readonly Descriptor[]) => boolean;
  readonly change: (list: readonly Descriptor[]) => readonly Descriptor[];
}

/** Tags cannot be changed atomically, so the list is read again afterwards; another client's write may have won. */
async function changeFallback(
  context: RepositoryContext,
  { subject, isDone, change }: Change,
  options: CallOptions,
): Promise<void> {
  for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
    const { manifests, annotations } = await readFallback(context, subject, options);
    if (isDone(manifests)) return;
    const entries = change(manifests).toSorted((one, other) =>
      one.digest < other.digest ? -1 : 1,
    );
    const { bytes, descriptor } = createIndex(
      entries.map((entry) => ({
        descriptor: entry,
        ...(entry.platform === undefined ? {} : { platform: entry.platform }),
      })),
      annotations,
    );
    await putManifest(
      context,
      { target: descriptor, bytes, selector: referrersTag(subject) },
      options,
    );
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "REFERENCE_NOT_FOUND";
}
