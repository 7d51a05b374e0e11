import { ContentError } from "../../ground/errors/index.ts";
import { type Bytes, type CallOptions, oneChunk } from "../../ground/bytes/index.ts";
import {
  MAX_MANIFEST_BYTES,
  parseDigest,
  parseIndex,
  verifyBytes,
  type Descriptor,
  type Digest,
  type Source,
} from "../oci/index.ts";
import {
  invalidArchive,
  openArchiveFile,
  readMember,
  readWhole,
  type ArchiveFile,
  type OpenArchiveOptions,
} from "./archive-file.ts";
import { readDockerArchive, type ArchiveContent } from "./docker-archive.ts";
import { resolveIn } from "./resolve-entry.ts";
import type { TarMember } from "./scan-tar.ts";

/** An image archive, opened for reading. Holds a file open, or a temporary copy of what was a stream or compressed; dispose it. */
export interface ImageArchive extends Source, AsyncDisposable {
  /** Images in the archive's order; names are annotations. */
  list(): readonly Descriptor[];
}

/**
 * Opens an archive that `docker save`, `podman save`, skopeo, crane or this tool wrote: OCI layout or Docker's older
 * form, plain or compressed as a whole with gzip or zstd. `source` is the path of a file, of which only headers and
 * small members are read now, or a stream, which is read to its end.
 * @throws ToolError `ARCHIVE_INVALID` when it is damaged, hostile or something else; `LIMIT_EXCEEDED`, `DISK_FULL`.
 */
export async function openArchive(
  source: string | Bytes,
  options: OpenArchiveOptions = {},
): Promise<ImageArchive> {
  const archive = await openArchiveFile(source, options);
  const content = await readContent(archive, options).catch(async (error: unknown) => {
    await archive[Symbol.asyncDispose]();
    throw error;
  });
  return {
    list: () => content.entries,
    resolve: (reference) =>
      resolveIn({
        place: archive.path,
        entries: content.entries,
        reference,
        readBlob: (digest) => readSmallBlob(archive, content, digest),
      }),
    open: (target, callOptions = {}) => openBlob(archive, content, { target, ...callOptions }),
    [Symbol.asyncDispose]: () => archive[Symbol.asyncDispose](),
  };
}

async function readContent(archive: ArchiveFile, options: CallOptions): Promise<ArchiveContent> {
  const isLayout = archive.members.has("oci-layout") && archive.members.has("index.json");
  const isDocker = archive.members.has("manifest.json");
  if (!isLayout && !isDocker)
    throw invalidArchive(
      archive.path,
      `it holds neither "index.json" nor "manifest.json", so it is no image archive`,
    );
  if (!isLayout) return readDockerArchive(archive, options);
  const entries = parseIndex(await readWhole(archive, "index.json", MAX_MANIFEST_BYTES)).manifests;
  // Docker writes an empty index beside `manifest.json` for images that it keeps in its old way.
  if (entries.length === 0 && isDocker) return readDockerArchive(archive, options);
  return { entries, members: layoutBlobs(archive), made: new Map() };
}

function layoutBlobs(archive: ArchiveFile): ReadonlyMap<Digest, TarMember> {
  const blobs = new Map<Digest, TarMember>();
  for (const [name, member] of archive.members) {
    const [, algorithm, hex] = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(name) ?? [];
    const isDigest = hex?.length === (algorithm === "sha256" ? 64 : 128);
    if (isDigest && member.type === "file") blobs.set(parseDigest(`${algorithm}:${hex}`), member);
  }
  return blobs;
}

async function readSmallBlob(
  archive: ArchiveFile,
  content: ArchiveContent,
  digest: Digest,
): Promise<Uint8Array | undefined> {
  const member = content.members.get(digest);
  if (member === undefined) return content.made.get(digest);
  return member.size > MAX_MANIFEST_BYTES
    ? undefined
    : Buffer.concat(await Array.fromAsync(readMember(archive, member)));
}

async function* openBlob(
  archive: ArchiveFile,
  content: ArchiveContent,
  options: { readonly target: Descriptor } & CallOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { target, signal } = options;
  const made = content.made.get(target.digest);
  const member = content.members.get(target.digest);
  if (made === undefined && member === undefined) {
    throw new ContentError(
      "BLOB_NOT_FOUND",
      `read "${target.digest}": the archive "${archive.path}" has no such blob`,
      { expected: target.digest },
    );
  }
  yield* verifyBytes(
    member === undefined
      ? oneChunk(made ?? new Uint8Array(0))
      : readMember(archive, member, { signal }),
    target,
    { signal },
  );
}
