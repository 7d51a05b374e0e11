import { posix } from "node:path";
import type { Bytes } from "../../../ground/bytes/index.ts";
import { ToolError } from "../../../ground/errors/index.ts";
import type { ArchiveEntry, FetchContext } from "../contracts.ts";
import type { ContentWriter } from "../place/content-writer.ts";
import { isJunk } from "../place/junk.ts";

/** Where the model is in an image. */
const IMAGE_FOLDER = "models";
const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

/**
 * Unpacks a tar as it streams. Files and folders only: links, devices and paths that come twice are refused.
 * @throws ToolError `ARCHIVE_INVALID`, `LIMIT_EXCEEDED`, `FILE_REFUSED`, each naming the entry
 */
export async function unpackTar(
  tar: Bytes,
  writer: ContentWriter,
  context: FetchContext,
): Promise<void> {
  for await (const { entry, content } of readEntries(tar, context, true)) {
    if (entry.path === "." || isJunk(entry.path)) continue;
    await writeEntry(entry, content, { writer, context });
  }
}

/** Paths, below the model's folder, that a layer takes away from those below it. */
export interface LayerRemovals {
  readonly paths: readonly string[];
  /** Folders of which nothing stays. */
  readonly opaque: readonly string[];
}

/**
 * Unpacks what a layer of an image has below `/models`; everything else is passed over.
 * @returns `isLeft`: it was not read to its end, since it has nothing of a model
 * @throws as `unpackTar`
 * @see image-spec, layer.md#whiteouts
 */
export async function unpackLayer(
  tar: Bytes,
  writer: ContentWriter,
  { context, isSorted }: { readonly context: FetchContext; readonly isSorted: boolean },
): Promise<LayerRemovals & { readonly isLeft: boolean }> {
  const paths: string[] = [];
  const opaque: string[] = [];
  for await (const { entry, content } of readEntries(tar, context, false)) {
    if (isSorted && !`${entry.path}/`.startsWith(`${IMAGE_FOLDER}/`))
      return { paths, opaque, isLeft: true };
    const folder = posix.dirname(entry.path);
    const name = posix.basename(entry.path);
    const isInside = entry.path.startsWith(`${IMAGE_FOLDER}/`);
    const below = (path: string): string => path.slice(IMAGE_FOLDER.length + 1);
    if (entry.path === `${WHITEOUT}${IMAGE_FOLDER}`) opaque.push("");
    else if (!isInside) continue;
    else if (name === OPAQUE) opaque.push(below(folder));
    else if (name.startsWith(WHITEOUT))
      paths.push(below(posix.join(folder, name.slice(WHITEOUT.length))));
    else await writeEntry({ ...entry, path: below(entry.path) }, content, { writer, context });
  }
  return { paths, opaque, isLeft: false };
}

function readEntries(
  tar: Bytes,
  { readTar, limits, signal }: FetchContext,
  refuseDuplicates: boolean,
): ReturnType<FetchContext["readTar"]> {
  return readTar(tar, {
    maxEntries: limits.maxFiles * 2, // folders stand in it too
    maxBytes: limits.maxBytes,
    refuseDuplicates,
    ...(signal !== undefined && { signal }),
  });
}

async function writeEntry(
  { path, type }: ArchiveEntry,
  content: Bytes,
  {
    writer,
    context: { signal },
  }: { readonly writer: ContentWriter; readonly context: FetchContext },
): Promise<void> {
  if (type === "file")
    return writer.writeFile(path, content, signal === undefined ? {} : { signal });
  if (type === "directory") return writer.makeFolder(path);
  const what = type === "device" ? "a device or a pipe" : "a link";
  throw new ToolError("FILE_REFUSED", `unpack the model: "${path}" is refused: it is ${what}`, {
    hint: "put the files themselves into the archive, such as with `tar --dereference`",
  });
}
