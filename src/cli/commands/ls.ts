import type { Command } from "commander";
import { storeReference } from "../../images/copy/index.ts";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import { mapLimited } from "../../ground/process/index.ts";
import {
  formatPlatform,
  formatReference,
  parseReference,
  type Reference,
} from "../../images/oci/index.ts";
import type { Store, StoredImage } from "../../images/store/index.ts";
import type { Context } from "../../app/context.ts";
import { manifestsUnder, totalSize, type SeenManifest } from "../../app/places/look.ts";
import { openRepository, openStore } from "../../app/places/places.ts";
import { addRegistryFlags, withRegistryFlags, type RegistryFlags } from "../registry-flags.ts";
import { formatAge, formatBytes, formatTable, shortDigest } from "../../app/format.ts";

/** `slipway ls [NAME]`. */
export function define(command: Command, context: Context): void {
  addRegistryFlags(command)
    .argument(
      "[name]",
      "store:NAME for the tags of one image of the store, HOST/REPOSITORY for those in a registry, HOST/ for a registry's repositories",
    )
    .addHelpText(
      "after",
      "\nExample:\n  slipway ls\n  slipway ls registry.example.com/team/iris\n  slipway ls localhost:5000/",
    )
    .action(async (name: string | undefined, flags: RegistryFlags) =>
      list(name, await withRegistryFlags(context, flags, [name?.replace(/^([^/]+)\/$/, "$1/any")])),
    );
}

async function list(name: string | undefined, context: Context): Promise<void> {
  if (name === undefined || name.startsWith("store:")) return listStore(name, context);
  if (/^[^/]+\/$/.test(name)) return listRepositories(name.slice(0, -1), context);
  return listTags(parseReference(name), context);
}

interface Row {
  /** As every command takes it. */
  readonly name: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest: string;
  readonly size?: number;
  /** When the name was given to it. */
  readonly taggedAt?: string;
  /** `base`, `train`, the kind of its model, the type of an artifact, or `image`. */
  readonly kind: string;
  readonly platforms: readonly string[];
  /** Why nothing more is known of it. */
  readonly problem?: string;
}

const HEAD = ["NAME", "TAG", "DIGEST", "SIZE", "AGE", "KIND", "PLATFORMS"];

async function listStore(name: string | undefined, context: Context): Promise<void> {
  await using store = await openStore(context);
  const wanted = name === undefined ? undefined : storeReference(name.slice("store:".length));
  const images = namedOnce(await store.list({ repository: wanted, signal: context.signal })).filter(
    ({ reference }) => !isNarrowed(name) || reference.tag === wanted?.tag,
  );
  if (wanted !== undefined && images.length === 0)
    throw new ToolError(
      "REFERENCE_NOT_FOUND",
      `list "${name ?? ""}": the store has no such image`,
      { hint: "run `slipway ls` to see what it has" },
    );
  const rows = await mapLimited(images, 8, (image) => describe(store, image, context));
  const { reporter } = context;
  if (rows.length === 0)
    reporter.step("the store is empty; `slipway pack` or `slipway pull` puts images into it");
  if (rows.length > 0)
    for (const line of formatTable([HEAD, ...rows.map(cellsOf)], [3])) reporter.line(line);
  reporter.result({ images: rows });
}

/** True for a name that says which tag is meant. */
function isNarrowed(name: string | undefined): boolean {
  return name !== undefined && /:[^/:]+$/.test(name.slice("store:".length));
}

/** What was pushed to `slipway registry` is held by digest besides its tag; that is no image of its own. */
function namedOnce(images: readonly StoredImage[]): readonly StoredImage[] {
  const keyOf = ({ reference, descriptor }: StoredImage): string =>
    `${reference.registry}/${reference.repository}@${descriptor.digest}`;
  const tagged = new Set(images.filter(({ reference }) => reference.tag !== undefined).map(keyOf));
  return images.filter((image) => image.reference.tag !== undefined || !tagged.has(keyOf(image)));
}

function cellsOf({
  repository,
  tag,
  digest,
  size,
  taggedAt,
  kind,
  platforms,
  problem,
}: Row): readonly string[] {
  const age = taggedAt === undefined ? "?" : formatAge(Date.now() - Date.parse(taggedAt));
  return [
    repository,
    tag ?? "(none)",
    shortDigest(digest),
    size === undefined ? "?" : formatBytes(size),
    age,
    kind,
    problem ?? platforms.join(", "),
  ];
}

/** One damaged image must not hide the others. */
async function describe(
  store: Store,
  { reference, descriptor }: StoredImage,
  context: Context,
): Promise<Row> {
  const taggedAt = (await store.taggedAt(reference))?.toISOString();
  const about = {
    ...namesOf(reference),
    digest: descriptor.digest,
    ...(taggedAt === undefined ? {} : { taggedAt }),
  };
  try {
    const manifests = await manifestsUnder(store, descriptor, context);
    const platforms = manifests.flatMap(({ platform }) =>
      platform === undefined ? [] : [formatPlatform(platform)],
    );
    return { ...about, size: totalSize(manifests), kind: kindOf(manifests), platforms };
  } catch (error) {
    if (!isToolError(error) || error.code === "INTERRUPTED") throw error;
    return { ...about, kind: "?", platforms: [], problem: error.message };
  }
}

/** Names of registries stand as they are; the store's own begin with `store:`, without which they would be Docker Hub's. */
function namesOf(reference: Reference): Pick<Row, "name" | "repository" | "tag"> {
  const repository =
    reference.registry === "store"
      ? `store:${reference.repository}`
      : `${reference.registry}/${reference.repository}`;
  const text = formatReference(reference);
  const name = `store:${reference.registry === "store" ? text.slice("store/".length) : text}`;
  return { name, repository, ...(reference.tag === undefined ? {} : { tag: reference.tag }) };
}

function kindOf(manifests: readonly SeenManifest[]): string {
  const seen = manifests.find(({ config }) => config !== undefined);
  if (seen === undefined)
    return manifests[0]?.manifest.artifactType ?? manifests[0]?.manifest.config.mediaType ?? "?";
  const labels = seen.config?.config?.Labels ?? {};
  if (labels["dev.slipway.train.main"] !== undefined) return "train";
  return (
    labels["dev.slipway.kind"] ??
    (labels["dev.slipway.base.suite"] === undefined ? "image" : "base")
  );
}

async function listTags(reference: Reference, context: Context): Promise<void> {
  await using place = await openRepository(reference, context);
  const tags = await Array.fromAsync(place.source.listTags(context));
  if (tags.length === 0) context.reporter.step("it has no tags");
  for (const tag of tags) context.reporter.line(tag);
  context.reporter.result({ repository: `${reference.registry}/${reference.repository}`, tags });
}

async function listRepositories(host: string, context: Context): Promise<void> {
  await using place = await openRepository(parseReference(`${host}/any`), context);
  const repositories = await Array.fromAsync(place.registry.catalog(context));
  for (const repository of repositories) context.reporter.line(`${host}/${repository}`);
  context.reporter.result({ registry: host, repositories });
}
