import { ToolError } from "../../ground/errors/index.ts";
import { type Bytes, type CallOptions } from "../../ground/bytes/index.ts";
import { writeFileAtomic } from "../../ground/process/index.ts";
import {
  MAX_MANIFEST_BYTES,
  MEDIA_TYPES,
  parseManifestOrIndex,
  readVerified,
  type Descriptor,
  type Digest,
  type Platform,
  type Reference,
  type Source,
} from "../oci/index.ts";
import { planTar, type TarEntry, type TarPlan } from "../tar/index.ts";
import { familiarNameOf, nameAnnotations } from "./image-name.ts";

/** An image of the source and the names it gets in the archive. */
export interface ArchivedImage {
  /** A manifest or an index; of an index all platforms go in. */
  readonly descriptor: Descriptor;
  readonly references: readonly Reference[];
}

export interface ImageArchiveOptions extends CallOptions {
  /** Which image of an index `docker load` gets. Default: linux on this machine's architecture, else the first. */
  readonly platform?: Platform | undefined;
  /**
   * Layers that whoever loads the archive has already: they are named and not in it. Such an archive is in Docker's form only, and
   * nothing but a docker daemon with these layers below the others can load it.
   */
  readonly without?: ReadonlySet<Digest> | undefined;
}

/** An archive that is written while it is read. */
export interface ArchiveStream {
  /** Bytes of the whole archive. */
  readonly size: number;
  /** The archive; a fresh stream per call, the same bytes each time. Blobs are verified on the way. */
  open(options?: CallOptions): Bytes;
}

const MAX_DEPTH = 4;
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: "amd64",
  arm64: "arm64",
  arm: "arm",
  ia32: "386",
  ppc64: "ppc64le",
  s390x: "s390x",
  riscv64: "riscv64",
};

/**
 * Lays out one archive that is an OCI layout and can be given to `docker load` and `podman load` as well. Equal images
 * and names give equal bytes. Reads manifests now; layers are streamed from the source when the archive is read, so
 * memory is bound and nothing is copied before.
 * @throws ToolError `MANIFEST_INVALID`, `LIMIT_EXCEEDED`; ContentError of the source.
 */
export async function createImageArchive(
  source: Source,
  images: readonly ArchivedImage[],
  options: ImageArchiveOptions = {},
): Promise<ArchiveStream> {
  const tree = new ImageTree(source, options);
  const entries: unknown[] = [];
  const dockerImages: DockerImage[] = [];
  for (const { descriptor, references } of images) {
    const node = await tree.read(descriptor);
    const plain = {
      mediaType: descriptor.mediaType,
      digest: descriptor.digest,
      size: descriptor.size,
      ...(descriptor.platform === undefined ? {} : { platform: descriptor.platform }),
    };
    if (references.length === 0) entries.push(plain);
    for (const reference of references)
      entries.push({ ...plain, annotations: nameAnnotations(reference) });
    const image = dockerImageOf(node, options.platform);
    if (image !== undefined)
      dockerImages.push({
        ...image,
        RepoTags: references.flatMap((reference) => familiarNameOf(reference) ?? []),
      });
  }
  const isWhole = options.without === undefined;
  const layout = [
    jsonMember("oci-layout", { imageLayoutVersion: "1.0.0" }),
    jsonMember("index.json", {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.imageIndex,
      manifests: entries,
    }),
  ];
  const plan = planTar([
    ...(isWhole ? layout : []),
    // An archive without images has no list for Docker: an empty list would be an error.
    ...(dockerImages.length === 0 ? [] : [jsonMember("manifest.json", dockerImages)]),
    ...tree.members(options.without),
  ]);
  return { size: plan.size, open: (callOptions = {}) => stream(plan, callOptions) };
}

/** Writes an archive to a file, whole or not at all. @throws ToolError `DISK_FULL`, `STORE_UNWRITABLE`. */
export async function writeArchive(
  path: string,
  archive: ArchiveStream,
  options: CallOptions = {},
): Promise<void> {
  await writeFileAtomic(path, archive.open(options), options);
}

/** A file of the archive. */
interface ArchiveMember extends TarEntry {
  /** Exactly `size` bytes, a fresh stream per call. */
  readonly open: (options: CallOptions) => Bytes;
}

async function* stream(
  plan: TarPlan<ArchiveMember>,
  options: CallOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const segment of plan.segments) {
    if (segment.kind === "bytes") yield segment.bytes;
    else yield* segment.entry.open(options);
  }
}

interface DockerImage {
  readonly Config: string;
  readonly RepoTags: readonly string[];
  readonly Layers: readonly string[];
}

/** A manifest with what it leads to. */
interface Node {
  readonly descriptor: Descriptor;
  readonly config: Descriptor | undefined;
  readonly layers: readonly Descriptor[];
  readonly children: readonly Node[];
}

/** Reads manifests and remembers every blob once, in the order in which it is first met. */
class ImageTree {
  readonly #source: Source;
  readonly #options: CallOptions;
  readonly #manifests = new Map<string, Uint8Array>();
  readonly #blobs = new Map<string, Descriptor>();

  constructor(source: Source, options: CallOptions) {
    this.#source = source;
    this.#options = options;
  }

  async read(descriptor: Descriptor, depth = 0): Promise<Node> {
    if (depth > MAX_DEPTH)
      throw new ToolError(
        "LIMIT_EXCEEDED",
        `archive "${descriptor.digest}": indexes are nested more than ${MAX_DEPTH} deep`,
      );
    const bytes = await this.#readManifest(descriptor);
    this.#manifests.set(descriptor.digest, bytes);
    const document = parseManifestOrIndex(bytes, descriptor.mediaType);
    if (document.kind === "index") {
      const children: Node[] = [];
      for (const child of document.index.manifests)
        children.push(await this.read(child, depth + 1));
      return { descriptor, config: undefined, layers: [], children };
    }
    const { config, layers } = document.manifest;
    for (const blob of [config, ...layers])
      this.#blobs.set(blob.digest, this.#blobs.get(blob.digest) ?? blob);
    return { descriptor, config, layers, children: [] };
  }

  members(without: ReadonlySet<Digest> = new Set()): readonly ArchiveMember[] {
    const manifests = [...this.#manifests].map(([digest, bytes]) =>
      bytesMember(blobName(digest), bytes),
    );
    const blobs = [...this.#blobs.values()].filter(
      (blob) => !this.#manifests.has(blob.digest) && !without.has(blob.digest),
    );
    return [
      ...manifests,
      ...blobs.map((blob) =>
        member(blobName(blob.digest), blob.size, (options) => this.#source.open(blob, options)),
      ),
    ];
  }

  async #readManifest(descriptor: Descriptor): Promise<Uint8Array> {
    const known = this.#manifests.get(descriptor.digest);
    if (known !== undefined) return known;
    return readVerified(this.#source.open(descriptor, this.#options), descriptor, {
      ...this.#options,
      maxBytes: MAX_MANIFEST_BYTES,
    });
  }
}

function dockerImageOf(
  node: Node,
  platform: Platform | undefined,
): Omit<DockerImage, "RepoTags"> | undefined {
  const { config, layers } =
    node.children.length > 0 ? (chosen(node.children, platform) ?? node) : node;
  const isImage =
    config?.mediaType === MEDIA_TYPES.imageConfig || config?.mediaType === MEDIA_TYPES.dockerConfig;
  if (config === undefined || !isImage) return undefined;
  return { Config: blobName(config.digest), Layers: layers.map((layer) => blobName(layer.digest)) };
}

function chosen(children: readonly Node[], platform: Platform | undefined): Node | undefined {
  const wanted = platform ?? { os: "linux", architecture: ARCHITECTURES[process.arch] ?? "amd64" };
  const images = children.flatMap((child) =>
    child.children.length > 0 ? child.children : [child],
  );
  const isWanted = ({ descriptor }: Node): boolean =>
    descriptor.platform?.os === wanted.os &&
    descriptor.platform.architecture === wanted.architecture;
  return images.find(isWanted) ?? images[0];
}

function blobName(digest: string): string {
  return `blobs/${digest.replace(":", "/")}`;
}

function jsonMember(name: string, value: unknown): ArchiveMember {
  return bytesMember(name, Buffer.from(JSON.stringify(value)));
}

function bytesMember(name: string, bytes: Uint8Array): ArchiveMember {
  return member(name, bytes.byteLength, async function* () {
    yield bytes;
  });
}

function member(path: string, size: number, open: (options: CallOptions) => Bytes): ArchiveMember {
  return { path, type: "file", mode: 0o644, size, open };
}
