import { createHash } from "node:crypto";
import { isToolError } from "../../ground/errors/index.ts";
import type { CallOptions } from "../../ground/bytes/index.ts";
import {
  digestOf,
  MAX_CONFIG_BYTES,
  MEDIA_TYPES,
  parseConfig,
  parseDigest,
  parseReference,
  type Descriptor,
  type Digest,
} from "../oci/index.ts";
import {
  compressionAt,
  fileMember,
  invalidArchive,
  readMember,
  readWhole,
  type ArchiveFile,
  type Compression,
} from "./archive-file.ts";
import { nameAnnotations } from "./image-name.ts";
import type { TarMember } from "./scan-tar.ts";

/** What an archive holds, in the terms of an OCI layout. */
export interface ArchiveContent {
  readonly entries: readonly Descriptor[];
  /** Blobs that are members of the archive. */
  readonly members: ReadonlyMap<Digest, TarMember>;
  /** Blobs that the archive does not hold as such: manifests made for Docker's form. */
  readonly made: ReadonlyMap<Digest, Uint8Array>;
}

interface SavedImage {
  readonly config: string;
  readonly names: readonly string[];
  readonly layers: readonly string[];
}

interface ArchiveContents {
  readonly members: Map<Digest, TarMember>;
  readonly made: Map<Digest, Uint8Array>;
  /** Layers by the member they are, so that one that several images share is hashed once. */
  readonly known: Map<TarMember, Descriptor>;
}

const MAX_LIST_BYTES = 4 << 20;
const MAX_IMAGES = 1000;

const LAYER_TYPES: Readonly<Record<Compression, string>> = {
  none: MEDIA_TYPES.layerTar,
  gzip: MEDIA_TYPES.layerTarGzip,
  zstd: MEDIA_TYPES.layerTarZstd,
};

/**
 * Reads Docker's form: `manifest.json`, configs and layers. For each image an OCI manifest is made, always the same
 * for the same archive. A layer's digest comes from the config where the layer is plain, and from its name or one pass
 * over it where it is compressed; either way its content is verified when it is read.
 * @throws ToolError `ARCHIVE_INVALID`, `MANIFEST_INVALID`.
 */
export async function readDockerArchive(
  archive: ArchiveFile,
  options: CallOptions = {},
): Promise<ArchiveContent> {
  const images = parseList(archive, await readWhole(archive, "manifest.json", MAX_LIST_BYTES));
  const found: ArchiveContents = { members: new Map(), made: new Map(), known: new Map() };
  const entries: Descriptor[] = [];
  for (const image of images)
    entries.push(...(await readImage(archive, image, { found, options })));
  return { entries, members: found.members, made: found.made };
}

async function readImage(
  archive: ArchiveFile,
  image: SavedImage,
  context: { readonly found: ArchiveContents; readonly options: CallOptions },
): Promise<readonly Descriptor[]> {
  const { found, options } = context;
  const configBytes = await readWhole(archive, image.config, MAX_CONFIG_BYTES);
  const diffIds = parseConfig(configBytes).rootfs.diff_ids;
  if (diffIds.length !== image.layers.length)
    throw invalidArchive(
      archive.path,
      `its config names ${diffIds.length} layers, but there are ${image.layers.length}`,
    );
  const layers: Descriptor[] = [];
  for (const [at, name] of image.layers.entries())
    layers.push(
      await describeLayer(archive, found, { name, diffId: diffIds[at] as Digest, ...options }),
    );
  const config = {
    mediaType: MEDIA_TYPES.imageConfig,
    digest: digestOf(configBytes),
    size: configBytes.byteLength,
  };
  found.made.set(config.digest, configBytes);
  const manifest = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.imageManifest, config, layers }),
  );
  const descriptor: Descriptor = {
    mediaType: MEDIA_TYPES.imageManifest,
    digest: digestOf(manifest),
    size: manifest.byteLength,
  };
  found.made.set(descriptor.digest, manifest);
  return image.names.length === 0
    ? [descriptor]
    : image.names.map((name) => ({ ...descriptor, annotations: annotationsOf(archive, name) }));
}

async function describeLayer(
  archive: ArchiveFile,
  found: ArchiveContents,
  layer: { readonly name: string; readonly diffId: Digest } & CallOptions,
): Promise<Descriptor> {
  const member = fileMember(archive, layer.name);
  const known = found.known.get(member);
  if (known !== undefined) return known;
  const compression = await compressionAt(archive.file, member.offset);
  const digest =
    compression === "none"
      ? layer.diffId
      : (digestInName(layer) ?? (await hashMember(archive, member, layer)));
  const descriptor = { mediaType: LAYER_TYPES[compression], digest, size: member.size };
  found.known.set(member, descriptor);
  found.members.set(digest, member);
  return descriptor;
}

/** Compressed layers are often named after their digest; a name that says the diffId is about the unpacked bytes. */
function digestInName(layer: {
  readonly name: string;
  readonly diffId: Digest;
}): Digest | undefined {
  const hex = /(?:^|\/)(?:sha256:)?([0-9a-f]{64})(?:\.tar\.gz)?$/.exec(layer.name)?.[1];
  const digest = hex === undefined ? undefined : parseDigest(`sha256:${hex}`);
  return digest === layer.diffId ? undefined : digest;
}

async function hashMember(
  archive: ArchiveFile,
  member: TarMember,
  options: CallOptions,
): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of readMember(archive, member, { ...options, transient: true }))
    hash.update(chunk);
  return parseDigest(`sha256:${hash.digest("hex")}`);
}

function annotationsOf(archive: ArchiveFile, name: string): Readonly<Record<string, string>> {
  try {
    return nameAnnotations(parseReference(name));
  } catch (error) {
    if (!isToolError(error)) throw error;
    throw invalidArchive(
      archive.path,
      `${JSON.stringify(name.slice(0, 200))} is no image name`,
      error,
    );
  }
}

function parseList(archive: ArchiveFile, bytes: Buffer): readonly SavedImage[] {
  const list = parseJson(archive, bytes);
  if (!Array.isArray(list) || list.length > MAX_IMAGES)
    throw invalidArchive(
      archive.path,
      `"manifest.json" is no list of at most ${MAX_IMAGES} images`,
    );
  return list.map((value: unknown) => {
    const { Config, RepoTags, Layers } = (
      typeof value === "object" && value !== null ? value : {}
    ) as Readonly<Record<string, unknown>>;
    if (typeof Config !== "string")
      throw invalidArchive(archive.path, `an image in "manifest.json" has no Config`);
    return {
      config: Config,
      names: texts(archive, RepoTags ?? []),
      layers: texts(archive, Layers ?? []),
    };
  });
}

function parseJson(archive: ArchiveFile, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw invalidArchive(archive.path, `"manifest.json" is not JSON`, error);
  }
}

function texts(archive: ArchiveFile, value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.some((text) => typeof text !== "string"))
    throw invalidArchive(archive.path, `a list in "manifest.json" is not one of texts`);
  return value as readonly string[];
}
