import { createHash } from "node:crypto";
import { ContentError } from "../errors/index.ts";
import type { CallOptions } from "../internal/index.ts";
import { parseConfig } from "./config.ts";
import type { Image, Layer } from "./contracts.ts";
import type { Descriptor, Digest } from "./descriptor.ts";
import { digestOf } from "./digest.ts";
import { parseManifest } from "./manifest.ts";
import { layerCompressionOf } from "./media-types.ts";
import { uncompressed } from "./uncompressed.ts";
import { verifyBytes } from "./verify-bytes.ts";

export interface ValidateOptions extends CallOptions {
  /** Told before each layer is read. */
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
 * Derives every digest of an image again: config, each layer as stored, each layer's tar, and the counts that must agree.
 * @throws ContentError naming the first difference.
 */
export async function validateImage(image: Image, options: ValidateOptions = {}): Promise<Validation> {
  const [rawManifest, rawConfig, layers] = await Promise.all([image.rawManifest(options), image.rawConfig(options), image.layers(options)]);
  const manifest = parseManifest(rawManifest);
  const config = parseConfig(rawConfig);
  expectSame("config digest", manifest.config.digest, digestOf(rawConfig));
  expectSame("config size", `${manifest.config.size}`, `${rawConfig.byteLength}`);
  expectSame("count of layers", `${manifest.layers.length}`, `${layers.length}`);
  expectSame("count of diffIds", `${layers.length}`, `${config.rootfs.diff_ids.length}`);
  if (config.history !== undefined && config.history.length > 0) {
    expectSame("count of layers in history", `${layers.length}`, `${config.history.filter((entry) => entry.empty_layer !== true).length}`);
  }
  let bytesRead = rawManifest.byteLength + rawConfig.byteLength;
  for (const [index, layer] of layers.entries()) {
    const descriptor = manifest.layers[index] as Descriptor; // the counts agree
    options.onLayer?.(descriptor, index);
    expectSame(`diffId of layer ${index + 1}`, config.rootfs.diff_ids[index] ?? "", await tarDigest(layer, descriptor, options));
    bytesRead += descriptor.size;
  }
  return { digest: digestOf(rawManifest), layers: layers.length, bytesRead };
}

/** Hashes the stored blob and its tar in one pass. */
async function tarDigest(layer: Layer, descriptor: Descriptor, options: CallOptions): Promise<string> {
  const stored = verifyBytes(layer.open(options), descriptor, options);
  if (layerCompressionOf(descriptor.mediaType) === "none") {
    for await (const chunk of stored) void chunk; // verifying is the point
    return descriptor.digest;
  }
  const hash = createHash("sha256");
  for await (const chunk of uncompressed(stored, descriptor.mediaType, options)) hash.update(chunk);
  return `sha256:${hash.digest("hex")}`;
}

function expectSame(what: string, expected: string, actual: string): void {
  if (expected === actual) return;
  throw new ContentError("DIGEST_MISMATCH", `verify image: the ${what} should be "${expected}", and is "${actual}"`, { expected, actual });
}
