import { createHash } from "node:crypto";
import { ContentError } from "../../ground/errors/index.ts";
import type { Bytes, CallOptions } from "../../ground/bytes/index.ts";
import { parseConfig, type ImageConfig } from "./config.ts";
import type { Image, Layer } from "./contracts.ts";
import type { Descriptor, Digest } from "./descriptor.ts";
import { digestLike, digestOf } from "./digest.ts";
import { parseManifest, type ImageManifest } from "./manifest.ts";
import { isForeignLayer, layerCompressionOf } from "./media-types.ts";
import { uncompressed } from "./uncompressed.ts";
import { verifyBytes } from "./verify-bytes.ts";

export interface ValidateOptions extends CallOptions {
  /** `documents` leaves the layers' content unread. Default `all`. */
  readonly depth?: "all" | "documents" | undefined;
  /** Told before each layer is read; `index` counts from the base up. */
  readonly onLayer?: ((descriptor: Descriptor, index: number) => void) | undefined;
}

/** What a validated image came to. */
export interface Validation {
  readonly digest: Digest;
  readonly layers: number;
  /** Bytes that were read and hashed. */
  readonly bytesRead: number;
}

/**
 * Derives every digest of an image again: the config's, each layer's as stored, each layer's tar, and the counts that must agree.
 * @throws ContentError naming the first difference: `DIGEST_MISMATCH`, or what reading the content throws.
 */
export async function validateImage(
  image: Image,
  options: ValidateOptions = {},
): Promise<Validation> {
  const [rawManifest, rawConfig] = [
    await image.rawManifest(options),
    await image.rawConfig(options),
  ];
  const manifest = parseManifest(rawManifest);
  const config = parseConfig(rawConfig);
  checkDocuments(manifest, rawConfig, config);
  const layers = await image.layers(options);
  expectSame("count of layers", `${manifest.layers.length}`, `${layers.length}`);
  let bytesRead = rawManifest.byteLength + rawConfig.byteLength;
  for (const [index, layer] of layers.entries()) {
    const descriptor = manifest.layers[index] as Descriptor; // the counts agree
    const diffId = config.rootfs.diff_ids[index] ?? "";
    await checkDescriptor(layer, { descriptor, diffId, name: `layer ${index + 1}` }, options);
    if (options.depth === "documents" || isForeignLayer(descriptor.mediaType)) continue;
    options.onLayer?.(descriptor, index);
    expectSame(
      `diffId of layer ${index + 1}`,
      diffId,
      await tarDigest(layer.open(options), descriptor, options),
    );
    bytesRead += descriptor.size;
  }
  return { digest: digestOf(rawManifest), layers: layers.length, bytesRead };
}

function checkDocuments(manifest: ImageManifest, rawConfig: Uint8Array, config: ImageConfig): void {
  expectSame(
    "config digest",
    manifest.config.digest,
    digestLike(manifest.config.digest, rawConfig),
  );
  expectSame("config size", `${manifest.config.size}`, `${rawConfig.byteLength}`);
  const { length } = manifest.layers;
  expectSame("count of diffIds", `${length}`, `${config.rootfs.diff_ids.length}`);
  const { history = [] } = config;
  if (history.length > 0)
    expectSame(
      "count of layers in history",
      `${length}`,
      `${history.filter((entry) => entry.empty_layer !== true).length}`,
    );
  for (const [index, { mediaType }] of manifest.layers.entries()) {
    if (layerCompressionOf(mediaType) !== undefined || isForeignLayer(mediaType)) continue;
    throw new ContentError(
      "MANIFEST_INVALID",
      `verify image: layer ${index + 1} has media type "${mediaType}", which is no layer of an image`,
    );
  }
}

/** A layer that was made here knows its digests by itself; they must be the ones that were written down. */
async function checkDescriptor(
  layer: Layer,
  expected: { readonly descriptor: Descriptor; readonly diffId: string; readonly name: string },
  options: CallOptions,
): Promise<void> {
  const { digest, size } = await layer.descriptor(options);
  expectSame(`digest of ${expected.name}`, expected.descriptor.digest, digest);
  expectSame(`size of ${expected.name}`, `${expected.descriptor.size}`, `${size}`);
}

/** Hashes the stored blob and its tar in one pass. */
async function tarDigest(
  content: Bytes,
  descriptor: Descriptor,
  options: CallOptions,
): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of uncompressed(
    verifyBytes(content, descriptor, options),
    descriptor.mediaType,
    options,
  ))
    hash.update(chunk);
  return `sha256:${hash.digest("hex")}`;
}

function expectSame(what: string, expected: string, actual: string): void {
  if (expected === actual) return;
  throw new ContentError(
    "DIGEST_MISMATCH",
    `verify image: the ${what} should be "${expected}", and is "${actual}"`,
    { expected, actual },
  );
}
