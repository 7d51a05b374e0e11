import { mkdir, open, readFile, stat } from "node:fs/promises";
import { join, resolve as absolute } from "node:path";
import { ContentError, ToolError } from "../../ground/errors/index.ts";
import { readRange, type CallOptions } from "../../ground/bytes/index.ts";
import {
  explainWriteError,
  noFile,
  withFileLock,
  writeFileAtomic,
} from "../../ground/process/index.ts";
import {
  MAX_MANIFEST_BYTES,
  MEDIA_TYPES,
  parseIndex,
  verifyBytes,
  type Descriptor,
  type Digest,
  type Reference,
  type Sink,
  type Source,
} from "../oci/index.ts";
import { isSameName, nameAnnotations } from "./image-name.ts";
import { resolveIn } from "./resolve-entry.ts";

/** An OCI image layout folder. Safe for several processes at once. @see image-spec, image-layout.md */
export interface Layout extends Source, Sink {
  readonly path: string;
  /** What `index.json` lists, in its order; names are annotations. */
  list(options?: CallOptions): Promise<readonly Descriptor[]>;
}

const LAYOUT_FILE = `{"imageLayoutVersion":"1.0.0"}`;
const EMPTY_INDEX = { schemaVersion: 2, mediaType: MEDIA_TYPES.imageIndex, manifests: [] };

/**
 * Opens a layout folder. Touches no disk before the first call; its methods throw `ARCHIVE_INVALID` when the folder is
 * no layout, and `STORE_UNWRITABLE` or `DISK_FULL` when it cannot be written.
 */
export function openLayout(path: string): Layout {
  const root = absolute(path);
  return {
    path: root,
    list: () => readIndex(root),
    async resolve(reference) {
      return resolveIn({
        place: root,
        entries: await readIndex(root),
        reference,
        readBlob: (digest) => readSmallBlob(root, digest),
      });
    },
    open: (target, options = {}) => openBlob(root, target, options),
    async has(target) {
      const stats = await stat(blobFile(root, target.digest)).catch(noFile);
      return stats?.isFile() === true && stats.size === target.size;
    },
    async put(target, content, options = {}) {
      const stats = await stat(blobFile(root, target.digest)).catch(noFile);
      if (stats?.size !== target.size)
        await writeFileAtomic(
          blobFile(root, target.digest),
          verifyBytes(content, target, options),
          options,
        );
    },
    tag: (target, reference, options = {}) => tag(root, { target, reference, options }),
  };
}

/** Opens a layout folder, making an empty one when there is none. @throws ToolError `STORE_UNWRITABLE` or `DISK_FULL`. */
export async function createLayout(path: string): Promise<Layout> {
  const root = absolute(path);
  if ((await readFile(join(root, "oci-layout"), "utf8").catch(noFile)) === undefined) {
    await mkdir(join(root, "blobs", "sha256"), { recursive: true }).catch((error: unknown) => {
      throw explainWriteError(error, root);
    });
    if ((await stat(join(root, "index.json")).catch(noFile)) === undefined)
      await writeFileAtomic(join(root, "index.json"), JSON.stringify(EMPTY_INDEX));
    await writeFileAtomic(join(root, "oci-layout"), LAYOUT_FILE);
  }
  return openLayout(root);
}

async function tag(
  root: string,
  options: {
    readonly target: Descriptor;
    readonly reference: Reference;
    readonly options: CallOptions;
  },
): Promise<void> {
  const { target, reference } = options;
  const stats = await stat(blobFile(root, target.digest)).catch(noFile);
  if (stats === undefined) throw notFound(root, target.digest);
  const change = async (): Promise<void> => {
    const document = await readIndexDocument(root);
    const entries = await readIndex(root);
    // Entries of others are kept as they are written, unknown fields included.
    const kept = (document["manifests"] as readonly unknown[]).filter(
      (_, at) => !isReplaced(entries[at], target, reference),
    );
    const { annotations, ...plain } = target;
    const entry = { ...plain, annotations: { ...annotations, ...nameAnnotations(reference) } };
    await writeFileAtomic(
      join(root, "index.json"),
      JSON.stringify({ ...document, manifests: [...kept, entry] }),
      { sync: true },
    );
  };
  try {
    await withFileLock(join(root, ".index.lock"), change, options.options);
  } catch (error) {
    throw explainWriteError(error, root);
  }
}

function isReplaced(
  entry: Descriptor | undefined,
  target: Descriptor,
  reference: Reference,
): boolean {
  if (entry === undefined) return false;
  const isNameless = entry.annotations?.["org.opencontainers.image.ref.name"] === undefined;
  return isSameName(entry, reference) || (isNameless && entry.digest === target.digest);
}

async function readIndex(root: string): Promise<readonly Descriptor[]> {
  return parseIndex(await readIndexBytes(root)).manifests;
}

async function readIndexDocument(root: string): Promise<Readonly<Record<string, unknown>>> {
  // `readIndex` has checked or will check the same bytes' shape.
  return JSON.parse((await readIndexBytes(root)).toString("utf8")) as Readonly<
    Record<string, unknown>
  >;
}

async function readIndexBytes(root: string): Promise<Buffer> {
  const layout = await readFile(join(root, "oci-layout"), "utf8").catch(noFile);
  if (layout === undefined) throw notALayout(root, `it has no file "oci-layout"`);
  if (!/"imageLayoutVersion"\s*:\s*"1\./.test(layout))
    throw notALayout(root, `its "oci-layout" is of an unknown version`);
  const stats = await stat(join(root, "index.json")).catch(noFile);
  if (stats === undefined) throw notALayout(root, `it has no file "index.json"`);
  if (stats.size > MAX_MANIFEST_BYTES)
    throw notALayout(
      root,
      `its "index.json" has ${stats.size} bytes, more than ${MAX_MANIFEST_BYTES}`,
    );
  return readFile(join(root, "index.json"));
}

async function readSmallBlob(root: string, digest: Digest): Promise<Uint8Array | undefined> {
  const stats = await stat(blobFile(root, digest)).catch(noFile);
  return stats === undefined || stats.size > MAX_MANIFEST_BYTES
    ? undefined
    : readFile(blobFile(root, digest));
}

async function* openBlob(
  root: string,
  target: Descriptor,
  options: CallOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const handle = await open(blobFile(root, target.digest), "r").catch(noFile);
  if (handle === undefined) throw notFound(root, target.digest);
  await using file = handle;
  // One byte more than there should be, so that a longer file is found out.
  yield* verifyBytes(
    readRange(file, { start: 0, end: target.size + 1, signal: options.signal }),
    target,
    options,
  );
}

function blobFile(root: string, digest: Digest): string {
  return join(root, "blobs", ...digest.split(":"));
}

function notFound(root: string, digest: Digest): ContentError {
  return new ContentError(
    "BLOB_NOT_FOUND",
    `read "${digest}": the layout "${root}" has no such blob`,
    { expected: digest },
  );
}

function notALayout(root: string, why: string): ToolError {
  return new ToolError("ARCHIVE_INVALID", `open "${root}": not an OCI image layout: ${why}`, {
    hint: "name a folder that holds the file oci-layout",
  });
}
