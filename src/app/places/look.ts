import type { CallOptions } from "../../ground/bytes/index.ts";
import {
  configOf,
  imageFrom,
  isIndexType,
  manifestOf,
  MAX_MANIFEST_BYTES,
  MEDIA_TYPES,
  parseIndex,
  platformOfConfig,
  readVerified,
  type Descriptor,
  type Image,
  type ImageConfig,
  type ImageManifest,
  type Platform,
  type Source,
} from "../../images/oci/index.ts";

/** One manifest below a name. `config` and `platform` are absent for what is no image, such as an attestation. */
export interface SeenManifest {
  readonly descriptor: Descriptor;
  readonly image: Image;
  readonly manifest: ImageManifest;
  readonly config?: ImageConfig;
  readonly platform?: Platform;
}

/** A manifest that is an image. */
export type SeenImage = SeenManifest & Required<Pick<SeenManifest, "config" | "platform">>;

const CONFIG_TYPES: readonly string[] = [MEDIA_TYPES.imageConfig, MEDIA_TYPES.dockerConfig];
const MAX_DEPTH = 8;

/**
 * Reads every manifest that `target` is or lists, in order, with its config; no layer.
 * @throws ContentError `MANIFEST_INVALID`, `BLOB_NOT_FOUND`, and what the source throws.
 */
export async function manifestsUnder(
  source: Source,
  target: Descriptor,
  options: CallOptions = {},
): Promise<readonly SeenManifest[]> {
  return walk(source, target, { options, depth: 0 });
}

/** The images of `manifestsUnder`, without attestations and other artifacts. */
export async function imagesUnder(
  source: Source,
  target: Descriptor,
  options: CallOptions = {},
): Promise<readonly SeenImage[]> {
  return (await manifestsUnder(source, target, options)).filter(isImage);
}

/** Bytes of everything that the manifests need, each blob counted once. */
export function totalSize(manifests: readonly SeenManifest[]): number {
  const sizes = new Map<string, number>();
  for (const { descriptor, manifest } of manifests) {
    for (const { digest, size } of [descriptor, manifest.config, ...manifest.layers])
      sizes.set(digest, size);
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

async function walk(
  source: Source,
  target: Descriptor,
  { options, depth }: { readonly options: CallOptions; readonly depth: number },
): Promise<readonly SeenManifest[]> {
  if (!isIndexType(target.mediaType) || depth >= MAX_DEPTH)
    return [await see(source, target, options)];
  const index = parseIndex(
    await readVerified(source.open(target, options), target, {
      ...options,
      maxBytes: MAX_MANIFEST_BYTES,
    }),
  );
  const found: SeenManifest[] = [];
  for (const child of index.manifests)
    found.push(...(await walk(source, child, { options, depth: depth + 1 })));
  return found;
}

async function see(
  source: Source,
  descriptor: Descriptor,
  options: CallOptions,
): Promise<SeenManifest> {
  const image = imageFrom(source, descriptor);
  const manifest = await manifestOf(image, options);
  const isOther =
    descriptor.platform?.os === "unknown" || !CONFIG_TYPES.includes(manifest.config.mediaType);
  if (isOther) return { descriptor, image, manifest };
  const config = await configOf(image, options);
  return { descriptor, image, manifest, config, platform: platformOfConfig(config) };
}

function isImage(seen: SeenManifest): seen is SeenImage {
  return seen.config !== undefined;
}
