/** Media types as the image spec and Docker's v2 schema 2 name them. @see image-spec, media-types.md */
export const MEDIA_TYPES = {
  imageManifest: "application/vnd.oci.image.manifest.v1+json",
  imageIndex: "application/vnd.oci.image.index.v1+json",
  imageConfig: "application/vnd.oci.image.config.v1+json",
  layerTar: "application/vnd.oci.image.layer.v1.tar",
  layerTarGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  layerTarZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  foreignLayerTarGzip: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
  empty: "application/vnd.oci.empty.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerManifestList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayerTar: "application/vnd.docker.image.rootfs.diff.tar",
  dockerLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  dockerForeignLayer: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
} as const;

/** How a layer's tar is stored. */
export type LayerCompression = "none" | "gzip" | "zstd";

const COMPRESSION: Readonly<Record<string, LayerCompression>> = {
  [MEDIA_TYPES.layerTar]: "none",
  [MEDIA_TYPES.dockerLayerTar]: "none",
  [MEDIA_TYPES.layerTarGzip]: "gzip",
  [MEDIA_TYPES.dockerLayerGzip]: "gzip",
  [MEDIA_TYPES.layerTarZstd]: "zstd",
};

/** The compression that the media type of a layer names. `undefined` for other media types. */
export function layerCompressionOf(mediaType: string): LayerCompression | undefined {
  return COMPRESSION[mediaType];
}

/** True for an image index and for Docker's manifest list. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.imageIndex || mediaType === MEDIA_TYPES.dockerManifestList;
}

/** True for an image manifest and for Docker's v2 schema 2 manifest. */
export function isManifestType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.imageManifest || mediaType === MEDIA_TYPES.dockerManifest;
}

/** True for layers that may not be distributed; their content is where the descriptor's `urls` point, and registries do not hold it. */
export function isForeignLayer(mediaType: string): boolean {
  return (
    mediaType === MEDIA_TYPES.dockerForeignLayer ||
    mediaType.startsWith("application/vnd.oci.image.layer.nondistributable.v1.")
  );
}
