import { oneChunk } from "../../ground/bytes/index.ts";
import { parseLocation, pushImage, type CopyResult } from "../../images/copy/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import {
  createIndex,
  imageDescriptor,
  manifestOf,
  type Descriptor,
  type Layer,
  type Reference,
  type Sink,
} from "../../images/oci/index.ts";
import type { BaseImage, PackedImage } from "../../images/pack/index.ts";
import type { Store } from "../../images/store/index.ts";
import type { Places } from "../session.ts";
import { openForWriting } from "../places/places.ts";
import type { ImagesResult } from "../results.ts";
import { imageResult } from "./plan.ts";

/** One image per platform, packed and not yet anywhere. */
export interface Packed {
  readonly image: PackedImage;
  readonly base: BaseImage;
}

/** What goes where. */
export interface Delivery {
  readonly packed: readonly Packed[];
  readonly names: readonly string[];
  readonly isPush: boolean;
  readonly store: Store;
  readonly session: Places;
}

/** What became of it. */
export interface Delivered {
  readonly descriptor: Descriptor;
  readonly results: readonly CopyResult[];
}

/** Pushes first, so that a new weight is hashed while it is sent; then the store learns of the image. */
export async function deliver(delivery: Delivery): Promise<Delivered> {
  const { names, isPush, session, store } = delivery;
  const results: CopyResult[] = [];
  for (const name of isPush
    ? names.filter((text) => parseLocation(text).kind === "registry")
    : []) {
    session.emit({ kind: "step", text: `pushing ${name}` });
    await using place = await openForWriting(name, session);
    results.push(...(await pushAll(delivery, place.sink, place.reference)));
  }
  const descriptor = await keep(
    delivery,
    names.map((name) => referenceOf(name)),
    store,
  );
  return { descriptor, results };
}

async function pushAll(
  { packed, session }: Delivery,
  sink: Sink,
  to: Reference,
): Promise<readonly CopyResult[]> {
  const results: CopyResult[] = [];
  for (const { image, base } of packed) {
    const labels = new Map<Layer, string>(image.layers.map(({ layer, label }) => [layer, label]));
    const isSameRegistry = base.mountFrom?.registry === to.registry;
    const result = await pushImage(image.image, sink, {
      to: packed.length === 1 ? [to] : [],
      mountFrom: isSameRegistry && base.mountFrom !== undefined ? [base.mountFrom] : [],
      labelOf: (layer) => labels.get(layer),
      onProgress: (progress) => session.emit(progress),
      signal: session.signal,
    });
    results.push(result);
  }
  if (packed.length > 1) await tagIndex(packed, sink, [to]);
  return results;
}

/** Puts manifests and configs into the store; layers are there already, as blobs or by recipe, and the base's stay where they are. */
async function keep(
  { packed, session }: Delivery,
  references: readonly Reference[],
  store: Store,
): Promise<Descriptor> {
  const options = { signal: session.signal };
  for (const { image } of packed) {
    // Weights that nobody has read yet are read here.
    const [config, manifest] = [
      await image.image.rawConfig(options),
      await image.image.rawManifest(options),
    ];
    await store.put((await manifestOf(image.image, options)).config, oneChunk(config), options);
    const descriptor = await imageDescriptor(image.image, options);
    await store.put(descriptor, oneChunk(manifest), options);
    if (packed.length > 1) continue;
    for (const reference of references) await store.tag(descriptor, reference);
    return descriptor;
  }
  return tagIndex(packed, store, references);
}

async function tagIndex(
  packed: readonly Packed[],
  sink: Sink,
  to: readonly Reference[],
): Promise<Descriptor> {
  const entries = await Promise.all(
    packed.map(async ({ image }) => ({
      descriptor: await imageDescriptor(image.image),
      platform: image.platform,
    })),
  );
  const { bytes, descriptor } = createIndex(entries);
  await sink.put(descriptor, oneChunk(bytes));
  for (const reference of to) await sink.tag(descriptor, reference);
  return descriptor;
}

/** What was delivered, as data. */
export async function deliveryResult(
  { descriptor, results }: Delivered,
  about: {
    readonly packed: readonly Packed[];
    readonly names: readonly string[];
    readonly startedAt: number;
  },
): Promise<ImagesResult> {
  const sum = (pick: (result: CopyResult) => number): number =>
    results.reduce((total, result) => total + pick(result), 0);
  const isPushed = results.length > 0;
  return {
    kind: "made",
    names: about.names,
    images: await Promise.all(
      about.packed.map(async (packed) => ({
        ...imageResult(packed, about),
        isPushed,
        digest: (await imageDescriptor(packed.image.image)).digest,
      })),
    ),
    descriptor,
    isPushed,
    sizeBytes: sizeOf(about.packed),
    bytesUploaded: sum((result) => result.bytesSent),
    bytesMounted: sum((result) => result.bytesMounted),
    bytesSkipped: sum((result) => result.bytesSkipped),
    tookMs: performance.now() - about.startedAt,
  };
}

/** Bytes of all layers as stored; what platforms share counts once. */
function sizeOf(packed: readonly Packed[]): number {
  const layers = new Map(
    packed
      .flatMap(({ image }) => image.layers)
      .map(({ layer, digest, size }) => [digest ?? layer, size] as const),
  );
  return [...layers.values()].reduce((sum, size) => sum + size, 0);
}

/** The name as a registry or the store takes it. @throws ToolError `USAGE` for places that have no names. */
export function referenceOf(name: string): Reference {
  const location = parseLocation(name);
  if (location.kind === "registry" || location.kind === "store") return location.reference;
  throw new ToolError(
    "USAGE",
    `name the image "${name}": it is neither a registry's name nor store:NAME`,
    { hint: "use --output for folders, archives and engines" },
  );
}
