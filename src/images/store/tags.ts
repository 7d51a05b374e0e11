import { readdir, readFile, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import {
  explainWriteError,
  mapLimited,
  noFile,
  writeFileAtomic,
} from "../../ground/process/index.ts";
import { parseDigest, type Descriptor, type Reference } from "../oci/index.ts";
import { type BlobPlace } from "./blobs.ts";
import { DEFAULT_TAG, repositoryFolderOf, tagFileOf } from "./store-paths.ts";

/** A name in the store and what it points at. */
export interface StoredImage {
  /** Has a tag, or a digest for a manifest that its repository holds without a tag. */
  readonly reference: Reference;
  readonly descriptor: Descriptor;
}

/** What a folder of tags held when it had this time. */
export interface TagFolder {
  readonly changed: string;
  readonly images: readonly StoredImage[];
}

const READERS = 16;
const MAX_CACHED_FOLDERS = 1000;
// A folder that changed this short a while ago may change again without a new time: the kernel's clock has steps.
const CLOCK_STEP_MS = 100;

/** Reads one tag, or gives `undefined`. @throws ToolError `STORE_INVALID` naming the file. */
export async function readTag(
  place: BlobPlace,
  reference: Reference,
): Promise<StoredImage | undefined> {
  return readTagFile(tagFileOf(place.paths, reference));
}

/** Writes one tag atomically. @returns false when it already said the same. */
export async function writeTag(place: BlobPlace, image: StoredImage): Promise<boolean> {
  const path = tagFileOf(place.paths, image.reference);
  const text = JSON.stringify({
    reference: nameOnly(image.reference),
    descriptor: image.descriptor,
  });
  if ((await readFile(path, "utf8").catch(noFile)) === text) return false;
  await writeFileAtomic(path, text, { sync: true });
  return true;
}

/** When a tag was last written. */
export async function tagTime(place: BlobPlace, reference: Reference): Promise<Date | undefined> {
  return (await stat(tagFileOf(place.paths, reference)).catch(noFile))?.mtime;
}

/** Removes one tag. @returns false when there was none. */
export async function removeTag(place: BlobPlace, reference: Reference): Promise<boolean> {
  const path = tagFileOf(place.paths, reference);
  if ((await stat(path).catch(noFile)) === undefined) return false;
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw explainWriteError(error, path);
  }
  // Fails while the repository has other tags, and then it is right to.
  await rmdir(dirname(path)).catch(() => undefined);
  return true;
}

/** All tags of the store, or of one repository; sorted by name. */
export async function readTags(
  place: BlobPlace,
  repository?: Pick<Reference, "registry" | "repository">,
): Promise<readonly StoredImage[]> {
  if (repository !== undefined)
    return readFolder(place, repositoryFolderOf(place.paths, repository));
  const folders = await mapLimited(await tagFolders(place), READERS, (folder) =>
    readFolder(place, folder),
  );
  return folders.flat().sort(byName);
}

/** Paths, sizes and times of all tag files: changes whenever a tag does. */
export async function tagsFingerprint(place: BlobPlace): Promise<string> {
  const files = await allTagFiles(place);
  const lines = await mapLimited(files, READERS, async (file) => {
    const stats = await stat(file, { bigint: true }).catch(noFile);
    return stats === undefined ? "" : `${file} ${stats.ino} ${stats.mtimeNs}`;
  });
  return lines.sort().join("\n");
}

/** How the store writes a name: `store:iris:v1`, or the usual form for images of registries. For messages and lists. */
export function nameOf(reference: Reference): string {
  const version =
    reference.tag === undefined && reference.digest !== undefined
      ? `@${reference.digest}`
      : `:${reference.tag ?? DEFAULT_TAG}`;
  return `${reference.registry === "store" ? "store:" : `${reference.registry}/`}${reference.repository}${version}`;
}

function nameOnly(reference: Reference): Reference {
  const { registry, repository, tag, digest } = reference;
  return tag === undefined && digest !== undefined
    ? { registry, repository, digest }
    : { registry, repository, tag: tag ?? DEFAULT_TAG };
}

/** Reads a folder of tags, or remembers it. Every change renames a file in it or removes one, which sets its time. */
async function readFolder(place: BlobPlace, folder: string): Promise<readonly StoredImage[]> {
  const stats = await stat(folder, { bigint: true }).catch(noFile);
  if (stats === undefined) return [];
  const changed = `${stats.ino} ${stats.mtimeNs} ${stats.ctimeNs}`;
  const known = place.tagCache.get(folder);
  if (known?.changed === changed) return known.images;
  const isSettled = Date.now() - Number(stats.mtimeMs) > CLOCK_STEP_MS;
  const read = await mapLimited(await filesIn(folder), READERS, readTagFile);
  const images = read.filter((image) => image !== undefined).sort(byName);
  place.tagCache.delete(folder);
  if (isSettled && place.tagCache.size < MAX_CACHED_FOLDERS)
    place.tagCache.set(folder, { changed, images });
  return images;
}

function byName(one: StoredImage, other: StoredImage): number {
  return nameOf(one.reference) < nameOf(other.reference) ? -1 : 1;
}

async function tagFolders(place: BlobPlace): Promise<string[]> {
  const names = await readdir(place.paths.tags).catch(noFile);
  return (names ?? []).map((name) => join(place.paths.tags, name));
}

async function allTagFiles(place: BlobPlace): Promise<string[]> {
  return (await mapLimited(await tagFolders(place), READERS, filesIn)).flat();
}

async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(noFile);
  return (names ?? [])
    .filter((name) => name.endsWith(".json") && !name.startsWith("."))
    .map((name) => join(folder, name));
}

async function readTagFile(path: string): Promise<StoredImage | undefined> {
  const text = await readFile(path, "utf8").catch(noFile);
  if (text === undefined) return undefined;
  try {
    return parseTag(JSON.parse(text));
  } catch (error) {
    if (!isToolError(error) && !(error instanceof SyntaxError)) throw error;
    throw new ToolError("STORE_INVALID", `read "${path}": the tag file is damaged`, {
      cause: error,
      hint: "remove the file, then pack or pull the image again",
    });
  }
}

function parseTag(value: unknown): StoredImage {
  const { reference, descriptor } = record(value);
  const name = record(reference);
  const target = record(descriptor);
  const digest = parseDigest(text(target["digest"]));
  const size = target["size"];
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw new SyntaxError("the size is no number");
  return {
    reference: {
      registry: text(name["registry"]),
      repository: text(name["repository"]),
      ...(name["tag"] === undefined
        ? { digest: parseDigest(text(name["digest"])) }
        : { tag: text(name["tag"]) }),
    },
    // The store wrote the optional fields itself; a damaged file fails the checks above long before they matter.
    descriptor: {
      ...(target as unknown as Descriptor),
      mediaType: text(target["mediaType"]),
      digest,
      size,
    },
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw new SyntaxError("an object is missing");
  return value as Readonly<Record<string, unknown>>;
}

function text(value: unknown): string {
  if (typeof value !== "string" || value === "") throw new SyntaxError("a text is missing");
  return value;
}
