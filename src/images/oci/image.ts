import { ContentError } from "../../ground/errors/index.ts";
import { type Bytes, type CallOptions, skipBytes } from "../../ground/bytes/index.ts";
import { mapLimited } from "../../ground/process/index.ts";
import { parseConfig, printConfig, type HistoryEntry, type ImageConfig } from "./config.ts";
import type { Image, Layer, RawOptions, Source } from "./contracts.ts";
import type { Descriptor, Digest, Platform } from "./descriptor.ts";
import { digestOf } from "./digest.ts";
import {
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  parseManifest,
  type ImageManifest,
} from "./manifest.ts";
import { MEDIA_TYPES } from "./media-types.ts";
import { once } from "./once.ts";
import { printableDescriptor, printableMap } from "./print.ts";
import { diffIdOf } from "./uncompressed.ts";
import { readVerified } from "./verify-bytes.ts";

/** Layers whose content is hashed at once; hashing is bound by one thread, and many files at once only make a disk seek. */
const READERS = 2;

/** A layer to put on top, and what history says of it. */
export interface LayerAddition {
  readonly layer: Layer;
  readonly history: HistoryEntry;
}

/** The image behind a manifest's descriptor. Reads the manifest and config when asked, verified and once. */
export function imageFrom(source: Source, target: Descriptor): Image {
  const rawManifest = once((options) =>
    readVerified(source.open(target, options), target, {
      ...options,
      maxBytes: MAX_MANIFEST_BYTES,
    }),
  );
  const rawConfig = once(async (options) => {
    const { config } = parseManifest(await rawManifest(options));
    return readVerified(source.open(config, options), config, {
      ...options,
      maxBytes: MAX_CONFIG_BYTES,
    });
  });
  const layers = once(async (options) => {
    const manifest = parseManifest(await rawManifest(options));
    const config = parseConfig(await rawConfig(options));
    checkCounts(manifest, config);
    return manifest.layers.map((descriptor, index): Layer =>
      storedLayer(source, descriptor, config.rootfs.diff_ids[index]),
    );
  });
  return { rawManifest, rawConfig, layers };
}

/** A layer that lies in a source. Its diffId is `diffId` when that is known, else found by unpacking. */
export function storedLayer(source: Source, descriptor: Descriptor, diffId?: Digest): Layer {
  return {
    descriptor: () => Promise.resolve(descriptor),
    diffId:
      diffId === undefined
        ? once((options) =>
            diffIdOf(source.open(descriptor, options), descriptor.mediaType, options),
          )
        : () => Promise.resolve(diffId),
    open: (options) => source.open(descriptor, options),
    ...(source.openFrom === undefined
      ? {}
      : {
          openFrom: (offset: number, options?: CallOptions) =>
            openFrom(source, descriptor, { ...options, offset }),
        }),
  };
}

/** Content of a source from an offset on, by the cheapest way that the source has; verified whole where the offset is 0 and it is not raw. */
export function openFrom(
  source: Source,
  target: Descriptor,
  options: CallOptions & RawOptions & { readonly offset: number },
): Bytes {
  const { offset, isRaw = false, signal } = options;
  if (offset === 0 && !isRaw) return source.open(target, { signal });
  return (
    source.openFrom?.(target, offset, { signal, isRaw }) ??
    skipBytes(source.open(target, { signal }), offset)
  );
}

/** An image without layers for one platform, as `FROM scratch` is. */
export function emptyImage(platform: Platform): Image {
  const { architecture, os, variant } = platform;
  return imageOf(
    {
      architecture,
      os,
      ...(variant === undefined ? {} : { variant }),
      rootfs: { type: "layers", diff_ids: [] },
      history: [],
    },
    [],
  );
}

/** Parsed manifest of an image. */
export async function manifestOf(image: Image, options?: CallOptions): Promise<ImageManifest> {
  return parseManifest(await image.rawManifest(options));
}

/** Parsed config of an image. */
export async function configOf(image: Image, options?: CallOptions): Promise<ImageConfig> {
  return parseConfig(await image.rawConfig(options));
}

/** Descriptor of the image's manifest; its digest is the image digest. */
export async function imageDescriptor(image: Image, options?: CallOptions): Promise<Descriptor> {
  const bytes = await image.rawManifest(options);
  return {
    mediaType: parseManifest(bytes).mediaType,
    digest: digestOf(bytes),
    size: bytes.byteLength,
  };
}

/** Platform of the image's config. */
export async function imagePlatform(image: Image, options?: CallOptions): Promise<Platform> {
  const { architecture, os, variant } = await configOf(image, options);
  return { architecture, os, ...(variant === undefined || variant === "" ? {} : { variant }) };
}

/**
 * Puts layers on top. The result has OCI types throughout and history that matches its layers; where the base's history is
 * missing or too short, it is padded.
 */
export function appendLayers(image: Image, additions: readonly LayerAddition[]): Image {
  return derive(image, {
    layers: (layers) => [...layers, ...additions.map(({ layer }) => layer)],
    config: async (config, options) => {
      const diffIds = await mapLimited(additions, READERS, ({ layer }) => layer.diffId(options));
      const history = [...paddedHistory(config), ...additions.map((addition) => addition.history)];
      return {
        ...config,
        rootfs: { type: "layers", diff_ids: [...config.rootfs.diff_ids, ...diffIds] },
        history,
      };
    },
  });
}

/**
 * Changes the config. Layers stay: `change` must leave `rootfs` alone, and history may change in what it says but not leave layers out.
 * Throws an `Error` where it did not, which is a mistake of the caller's code.
 */
export function mutateConfig(image: Image, change: (config: ImageConfig) => ImageConfig): Image {
  return derive(image, {
    config: (config) => {
      const changed = change(config);
      if (JSON.stringify(changed.rootfs) !== JSON.stringify(config.rootfs))
        throw new Error("mutateConfig must not change rootfs");
      const isHistoryWhole =
        changed.history === undefined ||
        [layersInHistory(config), config.rootfs.diff_ids.length].includes(layersInHistory(changed));
      if (!isHistoryWhole)
        throw new Error("mutateConfig must not change what layers history speaks of");
      return Promise.resolve(changed);
    },
  });
}

/** Adds annotations to the manifest; equal keys are replaced. */
export function annotate(image: Image, annotations: Readonly<Record<string, string>>): Image {
  return derive(image, { annotations: (own) => ({ ...own, ...annotations }) });
}

/** Writes the same values twice: as annotations of the manifest, and as labels of the config, which `docker inspect` shows. */
export function describeImage(image: Image, values: Readonly<Record<string, string>>): Image {
  return mutateConfig(annotate(image, values), (config) => ({
    ...config,
    config: { ...config.config, Labels: { ...config.config?.Labels, ...values } },
  }));
}

/** The same image with OCI media types; blobs, the config among them, stay as they are. An image that has them already comes back unchanged. */
export function toOci(image: Image): Image {
  const converted = derive(image, {});
  const choose = once(async (options) =>
    (await manifestOf(image, options)).mediaType === MEDIA_TYPES.imageManifest ? image : converted,
  );
  return {
    rawManifest: async (options) => (await choose(options)).rawManifest(options),
    rawConfig: async (options) => (await choose(options)).rawConfig(options),
    layers: async (options) => (await choose(options)).layers(options),
  };
}

/** What a derived image does differently. */
interface Change {
  readonly layers?: (layers: readonly Layer[]) => readonly Layer[];
  readonly config?: (config: ImageConfig, options?: CallOptions) => Promise<ImageConfig>;
  readonly annotations?: (
    annotations: Readonly<Record<string, string>>,
  ) => Readonly<Record<string, string>>;
}

interface Parts {
  readonly layers: readonly Layer[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly subject?: Descriptor | undefined;
  readonly artifactType?: string | undefined;
}

/** Layers come without asking any of them for its digest, so that a sink may find the digests while it takes the content. */
function derive(image: Image, change: Change): Image {
  const layers = once(async (options) => (change.layers ?? same)(await image.layers(options)));
  const { config } = change;
  const rawConfig = once(async (options) =>
    config === undefined
      ? image.rawConfig(options)
      : printConfig(await config(await configOf(image, options), options)),
  );
  const rawManifest = once(async (options) => {
    const { annotations = {}, subject, artifactType } = await manifestOf(image, options);
    return printManifest(
      {
        layers: await layers(options),
        annotations: (change.annotations ?? same)(annotations),
        subject,
        artifactType,
      },
      await rawConfig(options),
      options,
    );
  });
  return { rawManifest, rawConfig, layers };
}

function same<T>(value: T): T {
  return value;
}

function imageOf(config: ImageConfig, layers: readonly Layer[]): Image {
  const bytes = printConfig(config);
  const parts: Parts = { layers, annotations: {} };
  return {
    rawConfig: () => Promise.resolve(bytes),
    layers: () => Promise.resolve(layers),
    rawManifest: once((options) => printManifest(parts, bytes, options)),
  };
}

async function printManifest(
  parts: Parts,
  config: Uint8Array,
  options?: CallOptions,
): Promise<Uint8Array> {
  const layers = await mapLimited(parts.layers, READERS, (layer) => layer.descriptor(options));
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.imageManifest,
      artifactType: parts.artifactType,
      config: {
        mediaType: MEDIA_TYPES.imageConfig,
        digest: digestOf(config),
        size: config.byteLength,
      },
      layers: layers.map((layer) =>
        printableDescriptor({ ...layer, mediaType: ociLayerType(layer.mediaType) }),
      ),
      subject: parts.subject === undefined ? undefined : printableDescriptor(parts.subject),
      annotations: printableMap(parts.annotations),
    }),
  );
}

function ociLayerType(mediaType: string): string {
  if (mediaType === MEDIA_TYPES.dockerLayerGzip) return MEDIA_TYPES.layerTarGzip;
  if (mediaType === MEDIA_TYPES.dockerForeignLayer) return MEDIA_TYPES.foreignLayerTarGzip;
  return mediaType === MEDIA_TYPES.dockerLayerTar ? MEDIA_TYPES.layerTar : mediaType;
}

/** History with exactly one entry that is not empty for each layer. */
function paddedHistory(config: ImageConfig): readonly HistoryEntry[] {
  const history = config.history ?? [];
  const missing = config.rootfs.diff_ids.length - layersInHistory(config);
  if (missing < 0)
    throw new ContentError(
      "MANIFEST_INVALID",
      `read image config: history describes ${layersInHistory(config)} layers, and there are ${config.rootfs.diff_ids.length}`,
    );
  return [
    ...Array.from({ length: missing }, (): HistoryEntry => ({
      comment: "a layer of the base image, which has no history for it",
    })),
    ...history,
  ];
}

function layersInHistory({ history = [] }: ImageConfig): number {
  return history.filter((entry) => entry.empty_layer !== true).length;
}

function checkCounts(manifest: ImageManifest, config: ImageConfig): void {
  const { length } = config.rootfs.diff_ids;
  if (manifest.layers.length === length) return;
  throw new ContentError(
    "MANIFEST_INVALID",
    `read image: the manifest has ${manifest.layers.length} layers, and the config ${length} diffIds`,
  );
}
