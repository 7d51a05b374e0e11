import { createHash } from "node:crypto";
import { posix } from "node:path";
import { unbzip2, unxz, type Bytes, type CallOptions } from "../../../ground/bytes/index.ts";
import { ContentError, isToolError } from "../../../ground/errors/index.ts";
import { MEDIA_TYPES, uncompressed } from "../../oci/index.ts";
import type { JsonCache } from "../../recipe/index.ts";
import { nodeOf } from "./apply-layer.ts";
import type { ExtractedFiles } from "./extracted-files.ts";
import type { ImageTree } from "./image-tree.ts";
import { CopyError, makeFolders, type Owner } from "./make-folders.ts";
import { firstTarEntry, tarIndex, type IndexedEntry } from "./tar-index.ts";
import { withAttributes, type FileNode, type FolderNode, type TarSource } from "./tree-node.ts";
import { findPath, nodeAt, plainParts } from "./tree-path.ts";

/** What reading archives needs. */
export interface ArchiveContext extends CallOptions {
  readonly files: ExtractedFiles;
  readonly cache: JsonCache;
}

const FOLDER_MODE = 0o755;
const ROOT: Owner = { uid: 0, gid: 0 };
/** Enough to tell every compression apart. */
const MAGIC_BYTES = 10;
const MAX_UNPACKED_BYTES = 256 * 2 ** 30;

/**
 * The tar in a file, whatever compresses it: gzip, bzip2, xz, zstd or nothing. The content decides, not the name.
 * @returns `undefined` for a file that holds no tar, and for an empty one.
 * @throws ContentError `ARCHIVE_INVALID` for damaged content, `LIMIT_EXCEEDED` when more than 256 GiB come out.
 */
export async function archiveIn(
  file: FileNode,
  context: ArchiveContext,
): Promise<TarSource | undefined> {
  const compression = compressionOf(await firstBytes(context.files.open(file, context)));
  const source: TarSource = {
    key: `archive ${contentKey(file)}`,
    open: (options) => decompressed(context.files.open(file, options), compression, options),
  };
  return (await firstTarEntry(source, context)) === undefined ? undefined : source;
}

type Compression = "gzip" | "bzip2" | "xz" | "zstd" | "none";

function compressionOf(start: Uint8Array): Compression {
  const begins = (...magic: readonly number[]): boolean =>
    magic.every((byte, index) => start[index] === byte);
  if (begins(0x1f, 0x8b, 0x08)) return "gzip";
  if (begins(0x42, 0x5a, 0x68)) return "bzip2";
  if (begins(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return "xz";
  const isSkippable =
    ((start[0] ?? 0) & 0xf0) === 0x50 &&
    start[1] === 0x2a &&
    start[2] === 0x4d &&
    start[3] === 0x18;
  return begins(0x28, 0xb5, 0x2f, 0xfd) || isSkippable ? "zstd" : "none";
}

function decompressed(
  stored: AsyncGenerator<Uint8Array>,
  compression: Compression,
  options: CallOptions = {},
): Bytes {
  switch (compression) {
    case "none":
      return stored;
    case "gzip":
      return uncompressed(stored, MEDIA_TYPES.layerTarGzip, options);
    case "zstd":
      return uncompressed(stored, MEDIA_TYPES.layerTarZstd, options);
    case "bzip2":
      return bounded(unbzip2(stored), compression);
    case "xz":
      return bounded(unxz(stored), compression);
  }
}

/** The unpackers' own errors are damage of the content; they have neither code nor system call. */
async function* bounded(unpacked: Bytes, compression: Compression): AsyncGenerator<Uint8Array> {
  let count = 0;
  try {
    for await (const chunk of unpacked) {
      count += chunk.byteLength;
      if (count > MAX_UNPACKED_BYTES)
        throw new ContentError(
          "LIMIT_EXCEEDED",
          `unpack an archive: more than ${MAX_UNPACKED_BYTES} bytes come out of it`,
        );
      yield chunk;
    }
  } catch (error) {
    if (isToolError(error) || (error instanceof Error && "syscall" in error)) throw error;
    throw new ContentError("ARCHIVE_INVALID", `unpack an archive: its ${compression} is damaged`, {
      cause: error,
    });
  }
}

async function firstBytes(bytes: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  let first = Buffer.alloc(0);
  for await (const chunk of bytes) {
    first = Buffer.concat([first, chunk.subarray(0, MAGIC_BYTES)]);
    if (first.byteLength >= MAGIC_BYTES) break;
  }
  return first;
}

function contentKey({ content }: FileNode): string {
  switch (content.kind) {
    case "bytes":
      return createHash("sha256").update(content.bytes).digest("hex");
    case "file": {
      const { dev, ino, size, mtimeNs, ctimeNs } = content.guard;
      return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
    }
    case "tar":
      return `${content.source.key} ${content.index}`;
  }
}

/**
 * Unpacks an archive into a folder of the image, which is made when it is missing. Links of the image are followed as if that folder
 * were the root.
 * @param target - absolute path in the image
 * @param owner - owner of everything; absent, each entry keeps the archive's
 * @throws CopyError for a target that is no folder and for hard links to nothing; ToolError `ARCHIVE_INVALID`, `LIMIT_EXCEEDED`.
 * @see moby/go-archive, archive.go, Unpack
 */
export async function unpackArchive(
  tree: ImageTree,
  source: TarSource,
  target: string,
  about: ArchiveContext & { readonly owner: Owner | undefined },
): Promise<void> {
  const entries = await tarIndex(source, about.cache, {
    signal: about.signal,
    clampsPaths: true,
  });
  const { path } = await findPath(tree.root, `/${plainParts(target).join("/")}`, true);
  await makeFolders(tree, path, { mode: FOLDER_MODE, owner: about.owner });
  const { path: place, node: root } = await findPath(tree.root, `/${path.join("/")}`, true);
  if (root?.kind !== "folder") throw new CopyError(`"/${path.join("/")}" is not a directory`);
  for (const entry of entries) await putEntry({ tree, source, place, owner: about.owner }, entry);
}

interface Unpacking {
  readonly tree: ImageTree;
  readonly source: TarSource;
  /** The folder in the image. */
  readonly place: readonly string[];
  readonly owner: Owner | undefined;
}

async function putEntry(unpacking: Unpacking, entry: IndexedEntry): Promise<void> {
  const { tree, place, source, owner } = unpacking;
  if (entry.path === ".") return;
  const root = await rootOf(unpacking);
  const parent = await findPath(root, `/${posix.dirname(entry.path)}`, true);
  await makeFolders(tree, [...place, ...parent.path], { mode: FOLDER_MODE, owner: ROOT });
  const path = [...place, ...parent.path, posix.basename(entry.path)];
  const node = await nodeOf(entry, { source, root, there: await nodeAt(tree.root, path) });
  if (node === undefined)
    throw new CopyError(
      `"${entry.path}" of the archive links to "${entry.linkTarget}", which is not there`,
    );
  const owned = withAttributes(node, {
    mode: entry.mode,
    uid: owner?.uid ?? entry.uid ?? 0,
    gid: owner?.gid ?? entry.gid ?? 0,
    xattrs: node.xattrs,
  });
  await tree.set(path, owned);
}

async function rootOf({ tree, place }: Unpacking): Promise<FolderNode> {
  const root = await nodeAt(tree.root, place);
  if (root?.kind !== "folder") throw new CopyError(`"/${place.join("/")}" is not a directory`);
  return root;
}
