import { type Bytes, type CallOptions, oneChunk, skipBytes } from "../../ground/bytes/index.ts";
import {
  digestOf,
  isForeignLayer,
  parseManifest,
  type Image,
  type IngestSink,
  type Layer,
  type Sink,
  type UnhashedLayer,
} from "../oci/index.ts";
import type { CopyResult, PushImageOptions } from "./contracts.ts";
import { withScope } from "./scope.ts";
import { createTransfer, type Transfer } from "./transfer.ts";

/**
 * Writes an image that is made in memory. A layer with a known digest costs one existence check.
 * Another layer is hashed while it is uploaded. It is hashed before the upload when the sink needs
 * the digest first, or when the content was probably sent before.
 * @throws as `copy`.
 */
export async function pushImage(
  image: Image,
  sink: Sink,
  options: PushImageOptions = {},
): Promise<CopyResult> {
  return withScope(options, async (scope) => {
    const { signal } = scope;
    const transfer = createTransfer(sink, { ...options, signal });
    const layers = await image.layers({ signal });
    await scope.all(
      layers.map((layer, index) =>
        pushLayer({ transfer, sink }, layer, options.labelOf?.(layer, index)),
      ),
    );
    const [rawManifest, rawConfig] = [
      await image.rawManifest({ signal }),
      await image.rawConfig({ signal }),
    ];
    const manifest = parseManifest(rawManifest);
    await transfer.blob({
      descriptor: manifest.config,
      label: "config",
      open: (offset) => oneChunk(rawConfig.subarray(offset)),
    });
    const descriptor = {
      mediaType: manifest.mediaType,
      digest: digestOf(rawManifest),
      size: rawManifest.byteLength,
    };
    await transfer.manifest(descriptor, rawManifest);
    for (const reference of options.to ?? []) await sink.tag(descriptor, reference, { signal });
    return { descriptor, ...transfer.counts };
  });
}

async function pushLayer(
  to: { readonly transfer: Transfer; readonly sink: Sink },
  layer: Layer,
  label: string | undefined,
): Promise<void> {
  const { transfer, sink } = to;
  const { signal } = transfer;
  if (isUnhashed(layer) && isIngestSink(sink) && (await isNew(layer, { signal }))) {
    return layer.adopt(
      await transfer.ingest(sink, {
        size: layer.size,
        label: label ?? "layer",
        key: layer.key,
        open: (offset, options) => openLayer(layer, offset, options),
      }),
    );
  }
  const descriptor = await layer.descriptor({ signal });
  if (isForeignLayer(descriptor.mediaType)) return;
  await transfer.blob({
    descriptor,
    label,
    open: (offset, options) => openLayer(layer, offset, options),
  });
}

/** Content that is likely known under another time or name is hashed first: the sink may have it. */
async function isNew(layer: UnhashedLayer, options: CallOptions): Promise<boolean> {
  return (
    (await layer.known(options)) === undefined && (await layer.resemblesKnown?.(options)) !== true
  );
}

function openLayer(layer: Layer, offset: number, options?: CallOptions): Bytes {
  if (offset === 0) return layer.open(options);
  return layer.openFrom?.(offset, options) ?? skipBytes(layer.open(options), offset);
}

function isUnhashed(layer: Layer): layer is UnhashedLayer {
  return "adopt" in layer;
}

function isIngestSink(sink: Sink): sink is IngestSink {
  return "ingest" in sink;
}
