import {
  imageDescriptor,
  manifestOf,
  type Digest,
  type Image,
  type Reference,
  type Source,
} from "../../images/oci/index.ts";
import type { Bytes, CallOptions } from "../../ground/bytes/index.ts";
import { ContentError } from "../../ground/errors/index.ts";

/**
 * Reads an image that is not stored yet, under any name. Layers without a known digest are hashed
 * first.
 */
export async function packedSource(image: Image, options: CallOptions = {}): Promise<Source> {
  const [descriptor, { config, layers: descriptors }, layers] = await Promise.all([
    imageDescriptor(image, options),
    manifestOf(image, options),
    image.layers(options),
  ]);
  const blobs = new Map<Digest, (more?: CallOptions) => Bytes>([
    [descriptor.digest, (more) => one(image.rawManifest(more))],
    [config.digest, (more) => one(image.rawConfig(more))],
    ...layers.flatMap((layer, index) => {
      const digest = descriptors[index]?.digest;
      return digest === undefined
        ? []
        : [[digest, (more?: CallOptions) => layer.open(more)] as const];
    }),
  ]);
  return {
    resolve: (_name: Reference) => Promise.resolve(descriptor),
    open: (target, more) => {
      const blob = blobs.get(target.digest);
      if (blob === undefined)
        throw new ContentError(
          "BLOB_NOT_FOUND",
          `read ${target.digest}: the image has no such content`,
        );
      return blob(more);
    },
  };
}

async function* one(bytes: Promise<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield await bytes;
}
