import { posix } from "node:path";
import type { Bytes } from "../../../ground/bytes/index.ts";
import { ToolError } from "../../../ground/errors/index.ts";
import type { ArchiveEntry, FetchContext } from "../contracts.ts";
import { checkedPath, type ContentWriter } from "../place/content-writer.ts";
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
  { context, onMember }: UnpackOptions,
): Promise<void> {
  for await (const { entry, contentAt, content } of readEntries(tar, context, true)) {
    const isWanted = entry.path !== "." && !isJunk(entry.path);
    tellMember(onMember, { entry, contentAt, path: isWanted ? entry.path : undefined });
    if (isWanted) await writeEntry(entry, content, { writer, context });
  }
}

export interface UnpackOptions {
  readonly context: FetchContext;
  /** Told of each file, before it is written, which bytes of the tar are its own; without a path when it is not wanted. */
  readonly onMember?:
    | ((member: { readonly at: number; readonly size: number; readonly path?: string }) => void)
    | undefined;
}

function tellMember(
  onMember: UnpackOptions["onMember"],
  about: {
    readonly entry: ArchiveEntry;
    readonly contentAt: number;
    readonly path: string | undefined;
  },
): void {
  const { entry, contentAt, path } = about;
  if (entry.type !== "file") return;
  onMember?.({
    at: contentAt,
    size: entry.size,
    ...(path !== undefined && { path: checkedPath(path) }),
  });
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
  { context, onMember, isSorted }: UnpackOptions & { readonly isSorted: boolean },
): Promise<LayerRemovals & { readonly isLeft: boolean }> {
  const paths: string[] = [];
  const opaque: string[] = [];
  for await (const { entry, contentAt, content } of readEntries(tar, context, false)) {
    const isInside = entry.path.startsWith(`${IMAGE_FOLDER}/`);
    if (isSorted && !isInside && entry.path !== IMAGE_FOLDER)
      return { paths, opaque, isLeft: true };
    const folder = posix.dirname(entry.path);
    const name = posix.basename(entry.path);
    const isWanted = isInside && !name.startsWith(WHITEOUT);
    const path = isWanted ? below(entry.path) : undefined;
    tellMember(onMember, { entry, contentAt, path });
    if (path !== undefined) await writeEntry({ ...entry, path }, content, { writer, context });
    else if (entry.path === `${WHITEOUT}${IMAGE_FOLDER}`) opaque.push("");
    else if (isInside && name === OPAQUE) opaque.push(below(folder));
    else if (isInside) paths.push(below(posix.join(folder, name.slice(WHITEOUT.length))));
  }
  return { paths, opaque, isLeft: false };
}

function below(path: string): string {
  return path.slice(IMAGE_FOLDER.length + 1);
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
