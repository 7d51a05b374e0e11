import { MEDIA_TYPES, type Descriptor, type Digest } from "../oci/index.ts";
import {
  answerJson,
  nextLink,
  pageSizeOf,
  pathOf,
  type Context,
  type Exchange,
} from "./exchange.ts";
import { Fault } from "./fault.ts";
import { parseManifestFacts, type ManifestFacts } from "./manifest-facts.ts";

/** Tags of a repository in byte order, by pages. @see distribution-spec, end-8a, end-8b */
export async function listTags(context: Context, exchange: Exchange, name: string): Promise<void> {
  const images = await context.repositories.images(name);
  if (!(await context.repositories.isKnown(name)))
    throw new Fault(404, "NAME_UNKNOWN", { message: `no such repository: "${name}"` });
  const tags = new Set(
    images.flatMap(({ reference }) => (reference.tag === undefined ? [] : [reference.tag])),
  );
  const page = pageOf(context, exchange, [...tags].sort());
  answerJson(
    exchange,
    { name, tags: page.entries },
    page.last === undefined
      ? {}
      : nextLink(pathOf(name, "tags/list"), { n: String(page.size), last: page.last }),
  );
}

/** Names of all repositories, by pages. Not in the specification; every registry and client knows it. */
export async function listRepositories(context: Context, exchange: Exchange): Promise<void> {
  const page = pageOf(context, exchange, await context.repositories.names());
  answerJson(
    exchange,
    { repositories: page.entries },
    page.last === undefined
      ? {}
      : nextLink("/v2/_catalog", { n: String(page.size), last: page.last }),
  );
}

/** Manifests of the repository that say something about another one, by pages. @see distribution-spec, end-12a, end-12b */
export async function listReferrers(
  context: Context,
  exchange: Exchange,
  target: { readonly name: string; readonly digest: Digest },
): Promise<void> {
  const artifactType = exchange.query.get("artifactType");
  const filter = artifactType === null || artifactType === "" ? {} : { artifactType };
  const all = await referrersOf(context, target);
  const wanted = all.filter(
    (entry) => filter.artifactType === undefined || entry.artifactType === filter.artifactType,
  );
  const page = referrersPage(wanted, {
    after: exchange.query.get("last") ?? "",
    count: Math.max(1, pageSizeOf(exchange, context.pageSize)),
  });
  answerJson(
    exchange,
    { schemaVersion: 2, mediaType: MEDIA_TYPES.imageIndex, manifests: page.entries },
    {
      "Content-Type": MEDIA_TYPES.imageIndex,
      ...(filter.artifactType === undefined ? {} : { "OCI-Filters-Applied": "artifactType" }),
      ...(page.last === undefined
        ? {}
        : nextLink(pathOf(target.name, `referrers/${target.digest}`), {
            ...filter,
            last: page.last,
          })),
    },
  );
}

interface Page {
  readonly entries: readonly string[];
  readonly size: number;
  /** Last entry of this page, when there are more. */
  readonly last: string | undefined;
}

function pageOf(context: Context, exchange: Exchange, sorted: readonly string[]): Page {
  const after = exchange.query.get("last") ?? "";
  const size = pageSizeOf(exchange, context.pageSize);
  const rest = sorted.filter((entry) => entry > after);
  const entries = rest.slice(0, size);
  return { entries, size, last: rest.length > entries.length ? entries.at(-1) : undefined };
}

// A page of referrers carries the annotations of each, so its bytes are bound as well; clients take 4 MiB at least.
const MAX_PAGE_BYTES = 2 << 20;

function referrersPage(
  sorted: readonly Descriptor[],
  options: { readonly after: string; readonly count: number },
): { readonly entries: readonly Descriptor[]; readonly last: Digest | undefined } {
  const rest = sorted.filter((entry) => entry.digest > options.after);
  const entries: Descriptor[] = [];
  let bytes = 0;
  for (const entry of rest) {
    bytes += Buffer.byteLength(JSON.stringify(entry));
    if (entries.length >= options.count || (entries.length > 0 && bytes > MAX_PAGE_BYTES)) break;
    entries.push(entry);
  }
  return { entries, last: rest.length > entries.length ? entries.at(-1)?.digest : undefined };
}

async function referrersOf(
  context: Context,
  target: { readonly name: string; readonly digest: Digest },
): Promise<readonly Descriptor[]> {
  const found = new Map<Digest, Descriptor>();
  for (const descriptor of await candidates(context, target)) {
    const facts = await storedFacts(context, descriptor);
    if (facts?.subject === target.digest && !found.has(descriptor.digest))
      found.set(descriptor.digest, withFacts(descriptor, facts));
  }
  return [...found.values()].sort((one, other) => (one.digest < other.digest ? -1 : 1));
}

/** Everything with a name or digest in the repository, and what the fall-back tag lists. @see spec.md#referrers-tag-schema */
async function candidates(
  context: Context,
  target: { readonly name: string; readonly digest: Digest },
): Promise<readonly Descriptor[]> {
  const images = await context.repositories.images(target.name);
  const fallback = images.find(({ reference }) => reference.tag === fallbackTag(target.digest));
  const listed =
    fallback === undefined
      ? []
      : ((await storedFacts(context, fallback.descriptor))?.manifests ?? []);
  return [...images.map((image) => image.descriptor), ...listed];
}

function fallbackTag(digest: Digest): string {
  const [algorithm = "", hex = ""] = digest.split(":");
  return `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`;
}

async function storedFacts(
  context: Context,
  descriptor: Descriptor,
): Promise<ManifestFacts | undefined> {
  if ((await context.store.sizeOf(descriptor.digest)) !== descriptor.size) return undefined;
  try {
    return parseManifestFacts(
      Buffer.concat(await Array.fromAsync(context.store.open(descriptor))),
      descriptor.mediaType,
    );
  } catch (error) {
    // Images that came by another way than `putManifest` may be of kinds that have no subject.
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

function withFacts(descriptor: Descriptor, facts: ManifestFacts): Descriptor {
  return {
    mediaType: facts.mediaType,
    digest: descriptor.digest,
    size: descriptor.size,
    ...(facts.artifactType === undefined ? {} : { artifactType: facts.artifactType }),
    ...(facts.annotations === undefined ? {} : { annotations: facts.annotations }),
  };
}
