import type { Command } from "commander";
import { storeReference } from "../../copy/index.ts";
import { isToolError, ToolError } from "../../errors/index.ts";
import { mapLimited } from "../../internal/index.ts";
import { formatPlatform, formatReference, parseReference, type Reference } from "../../oci/index.ts";
import type { Store, StoredImage } from "../../store/index.ts";
import type { Context } from "../context.ts";
import { imagesUnder, totalSize } from "../look.ts";
import { openRepository, openStore } from "../places.ts";
import { addRegistryFlags, withRegistryFlags, type RegistryFlags } from "../registry-access.ts";
import { formatBytes, formatTable, shortDigest } from "../render/format.ts";

/** `slipway ls [NAME]`. */
export function define(command: Command, context: Context): void {
  addRegistryFlags(command)
    .argument("[name]", "store:NAME for the tags of one image of the store, HOST/REPOSITORY for those in a registry, HOST/ for a registry's repositories")
    .addHelpText("after", "\nExample:\n  slipway ls\n  slipway ls registry.example.com/team/iris\n  slipway ls localhost:5000/")
    .action(async (name: string | undefined, flags: RegistryFlags) => list(name, await withRegistryFlags(context, flags, [name?.replace(/^([^/]+)\/$/, "$1/any")])));
}

async function list(name: string | undefined, context: Context): Promise<void> {
  if (name === undefined || name.startsWith("store:")) return listStore(name, context);
  if (/^[^/]+\/$/.test(name)) return listRepositories(name.slice(0, -1), context);
  return listTags(parseReference(name), context);
}

interface Row {
  readonly name: string;
  readonly digest: string;
  readonly size?: number;
  readonly platforms: readonly string[];
  /** Why nothing more is known of it. */
  readonly problem?: string;
}

async function listStore(name: string | undefined, context: Context): Promise<void> {
  await using store = await openStore(context);
  const repository = name === undefined ? undefined : storeReference(name.slice("store:".length));
  const images = await store.list({ repository, signal: context.signal });
  if (repository !== undefined && images.length === 0) throw new ToolError("REFERENCE_NOT_FOUND", `list "${name ?? ""}": the store has no such image`, { hint: "run `slipway ls` to see what it has" });
  const rows = await mapLimited(images, 8, (image) => describe(store, image, context));
  const { reporter } = context;
  if (rows.length === 0) reporter.step("the store is empty; `slipway pack` or `slipway pull` puts images into it");
  const cells = rows.map(({ name: title, digest, size, platforms, problem }) => [title, shortDigest(digest), size === undefined ? "?" : formatBytes(size), problem ?? platforms.join(", ")]);
  if (cells.length > 0) for (const line of formatTable([["NAME", "DIGEST", "SIZE", "PLATFORMS"], ...cells], [2])) reporter.line(line);
  reporter.result({ images: rows });
}

/** One damaged image must not hide the others. */
async function describe(store: Store, { reference, descriptor }: StoredImage, context: Context): Promise<Row> {
  const about = { name: storedName(reference), digest: descriptor.digest };
  try {
    const images = await imagesUnder(store, descriptor, context);
    return { ...about, size: totalSize(images), platforms: images.map(({ platform }) => formatPlatform(platform)) };
  } catch (error) {
    if (!isToolError(error) || error.code === "INTERRUPTED") throw error;
    return { ...about, platforms: [], problem: error.message };
  }
}

/** A name as every command takes it. */
function storedName(reference: Reference): string {
  const text = formatReference(reference);
  return `store:${reference.registry === "store" ? text.slice("store/".length) : text}`;
}

async function listTags(reference: Reference, context: Context): Promise<void> {
  await using place = await openRepository(reference, context);
  const tags = await Array.fromAsync(place.source.listTags(context));
  for (const tag of tags) context.reporter.line(tag);
  context.reporter.result({ repository: `${reference.registry}/${reference.repository}`, tags });
}

async function listRepositories(host: string, context: Context): Promise<void> {
  await using place = await openRepository(parseReference(`${host}/any`), context);
  const repositories = await Array.fromAsync(place.registry.catalog(context));
  for (const repository of repositories) context.reporter.line(`${host}/${repository}`);
  context.reporter.result({ registry: host, repositories });
}
