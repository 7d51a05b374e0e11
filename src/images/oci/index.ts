export { createArtifact, EMPTY_CONTENT, EMPTY_DESCRIPTOR, type ArtifactParts } from "./artifact.ts";
export {
  parseConfig,
  platformOfConfig,
  type Healthcheck,
  type HistoryEntry,
  type ImageConfig,
  type RunConfig,
} from "./config.ts";
export type {
  Image,
  IngestSink,
  Layer,
  MountSink,
  ReopenableContent,
  ResumableIngestSink,
  RawOptions,
  ResumableSink,
  Sink,
  Source,
  UnhashedLayer,
} from "./contracts.ts";
export type { Descriptor, Digest, Platform } from "./descriptor.ts";
export { digestOf, hexOf, isDigest, parseDigest } from "./digest.ts";
export {
  annotate,
  appendLayers,
  configOf,
  describeImage,
  emptyImage,
  imageDescriptor,
  imageFrom,
  imagePlatform,
  manifestOf,
  mutateConfig,
  openFrom,
  storedLayer,
  toOci,
  type LayerAddition,
} from "./image.ts";
export {
  createIndex,
  formatPlatform,
  parsePlatform,
  referrersTag,
  selectPlatform,
  type Document,
} from "./image-index.ts";
export {
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  parseIndex,
  parseManifest,
  parseManifestOrIndex,
  type ImageIndex,
  type ImageManifest,
} from "./manifest.ts";
export {
  isForeignLayer,
  isIndexType,
  isManifestType,
  layerCompressionOf,
  MEDIA_TYPES,
  type LayerCompression,
} from "./media-types.ts";
export { formatReference, isRepository, isTag, parseReference } from "./parse-reference.ts";
export type { Reference } from "./reference.ts";
export { diffIdOf, uncompressed, type UncompressedOptions } from "./uncompressed.ts";
export { validateImage, type Validation, type ValidateOptions } from "./validate-image.ts";
export { validateIndex } from "./validate-index.ts";
export { readVerified, verifyBytes } from "./verify-bytes.ts";
