import { gzipSync } from "node:zlib";
import { type Bytes, oneChunk } from "../../src/ground/bytes/index.ts";
import { digestOf, MEDIA_TYPES, type Descriptor, type Sink } from "../../src/images/oci/index.ts";
import { tarOf } from "./tiny-tar.ts";

export interface SmallImageOptions {
  /** Files of each layer. Default: one layer with one file that names the seed. */
  readonly layers?: readonly Readonly<Record<string, string | Uint8Array>>[];
  /** Makes the image differ from others. */
  readonly seed?: string;
  readonly architecture?: string;
  readonly compress?: boolean;
}

/** Puts an image of few bytes into a sink, without our own image code. @returns the manifest's descriptor. */
export async function putSmallImage(
  sink: Sink,
  options: SmallImageOptions = {},
): Promise<Descriptor> {
  const { seed = "one", architecture = "amd64", compress = true } = options;
  const layers: Descriptor[] = [];
  const diffIds: string[] = [];
  for (const files of options.layers ?? [{ "hello.txt": `hello ${seed}` }]) {
    const tar = tarOf(files);
    diffIds.push(digestOf(tar));
    layers.push(
      await putBytes(
        sink,
        compress ? gzipSync(tar) : tar,
        compress ? MEDIA_TYPES.layerTarGzip : MEDIA_TYPES.layerTar,
      ),
    );
  }
  const config = {
    architecture,
    os: "linux",
    config: { Cmd: ["/hello"], Labels: { seed } },
    rootfs: { type: "layers", diff_ids: diffIds },
  };
  const configDescriptor = await putBytes(
    sink,
    Buffer.from(JSON.stringify(config)),
    MEDIA_TYPES.imageConfig,
  );
  return putBytes(
    sink,
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.imageManifest,
        config: configDescriptor,
        layers,
      }),
    ),
    MEDIA_TYPES.imageManifest,
  );
}

/** Puts an index of small images, one per architecture. */
export async function putSmallIndex(
  sink: Sink,
  architectures: readonly string[],
): Promise<Descriptor> {
  const manifests: Descriptor[] = [];
  for (const architecture of architectures)
    manifests.push({
      ...(await putSmallImage(sink, { architecture, seed: architecture })),
      platform: { os: "linux", architecture },
    });
  return putBytes(
    sink,
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.imageIndex, manifests })),
    MEDIA_TYPES.imageIndex,
  );
}

/** Puts bytes under their digest. */
export async function putBytes(
  sink: Sink,
  bytes: Uint8Array,
  mediaType: string,
): Promise<Descriptor> {
  const target: Descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
  await sink.put(target, oneChunk(bytes));
  return target;
}

/** All bytes of a stream. */
export async function bytesOf(content: Bytes): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(content));
}
