import { parseLocation } from "../../images/copy/index.ts";
import { isToolError } from "../../ground/errors/index.ts";
import {
  imageDescriptor,
  manifestOf,
  MEDIA_TYPES,
  type Descriptor,
  type Layer,
  type MountSink,
  type Reference,
  type Sink,
} from "../../images/oci/index.ts";
import type { PlannedLayer } from "../../images/pack/index.ts";
import type { Context } from "../context.ts";
import { openForWriting } from "../places/places.ts";
import type { PlannedImage } from "./plan.ts";

/** What a push does with a blob: sends it, takes it from the base's repository, or finds it there. */
export type Fate = "send" | "mount" | "there";

/** What a push to one name would come to, told without sending anything. */
export interface PushForecast {
  readonly name: string;
  /** Absent when the registry does not answer. */
  readonly fates?: ReadonlyMap<Layer, Fate>;
  /** Layers, configs and manifests, each content once. */
  readonly sentBytes: number;
  readonly mountedBytes: number;
  readonly skippedBytes: number;
  /** False when there are files whose digest nobody knows yet: what depends on them is not counted. */
  readonly isExact: boolean;
}

interface Counted extends Pick<Descriptor, "digest" | "size"> {
  readonly fate: Fate;
}

/** Asks the registry of a name which blobs it has. */
export async function forecastPush(
  name: string,
  images: readonly PlannedImage[],
  context: Context,
): Promise<PushForecast> {
  const layers = images.flatMap(({ image }) => image.layers);
  const isExact = layers.every(({ digest }) => digest !== undefined);
  try {
    await using place = await openForWriting(name, context);
    const { sink } = place;
    const fates = new Map<Layer, Fate>();
    for (const planned of images)
      for (const [layer, fate] of await fatesOf(planned, {
        sink,
        reference: place.reference,
        context,
      }))
        fates.set(layer, fate);
    const documents = isExact
      ? (await Promise.all(images.map((planned) => documentsOf(planned, sink, context)))).flat()
      : [];
    return { name, fates, ...sums(layers, fates, documents), isExact };
  } catch (error) {
    if (!isToolError(error) || error.code === "INTERRUPTED") throw error;
    return { name, sentBytes: 0, mountedBytes: 0, skippedBytes: 0, isExact: false };
  }
}

/** Names that are in a registry. */
export function registryNames(names: readonly string[]): readonly string[] {
  return names.filter((name) => parseLocation(name).kind === "registry");
}

interface Target {
  readonly sink: Sink;
  readonly reference: Reference;
  readonly context: Context;
}

async function fatesOf(
  { image, base }: PlannedImage,
  { sink, reference, context }: Target,
): Promise<readonly (readonly [Layer, Fate])[]> {
  const canMount = base.mountFrom?.registry === reference.registry;
  return Promise.all(
    image.layers.map(async ({ layer, digest, size, state }) => {
      if (digest === undefined) return [layer, "send"] as const;
      const target: Descriptor = { mediaType: MEDIA_TYPES.layerTar, digest, size };
      if (await sink.has(target, context)) return [layer, "there"] as const;
      const isElsewhere =
        (state === "base" && canMount) || (await mountSourcesOf(sink, target, context)).length > 0;
      return [layer, isElsewhere ? "mount" : "send"] as const;
    }),
  );
}

/** Repositories of the same registry that are known to have the content. */
async function mountSourcesOf(
  sink: Sink & Partial<Pick<MountSink, "mountSources">>,
  target: Descriptor,
  context: Context,
): Promise<readonly Reference[]> {
  return (await sink.mountSources?.(target, context)) ?? [];
}

const MAX_HASHED_BYTES = 256 * 2 ** 20;

/** Hashes the new files that are small enough to be read for a plan; what they cost is saved at the next pack. */
export async function withSmallDigests(
  images: readonly PlannedImage[],
  context: Context,
): Promise<readonly PlannedImage[]> {
  const hashed = async (planned: PlannedLayer): Promise<PlannedLayer> =>
    planned.digest !== undefined || planned.size > MAX_HASHED_BYTES
      ? planned
      : { ...planned, digest: (await planned.layer.descriptor(context)).digest };
  return Promise.all(
    images.map(async (planned) => ({
      ...planned,
      image: { ...planned.image, layers: await Promise.all(planned.image.layers.map(hashed)) },
    })),
  );
}

/** Config and manifest of an image, whose bytes are known when every layer is. A manifest is a blob of its own kind and is always asked for. */
async function documentsOf(
  { image }: PlannedImage,
  sink: Sink,
  context: Context,
): Promise<readonly Counted[]> {
  const { config } = await manifestOf(image.image, context);
  const manifest = await imageDescriptor(image.image, context);
  return Promise.all(
    [config, manifest].map(async ({ digest, size, mediaType }): Promise<Counted> => ({
      digest,
      size,
      fate: (await sink.has({ digest, size, mediaType }, context)) ? "there" : "send",
    })),
  );
}

/** Platforms share layers: each content counts once. */
function sums(
  layers: readonly PlannedLayer[],
  fates: ReadonlyMap<Layer, Fate>,
  documents: readonly Counted[],
): Pick<PushForecast, "sentBytes" | "mountedBytes" | "skippedBytes"> {
  const seen = new Set<unknown>();
  const total = { send: 0, mount: 0, there: 0 };
  const contents = [
    ...layers.map(({ layer, digest, size }) => ({
      key: digest ?? layer,
      size,
      fate: fates.get(layer) ?? ("send" as const),
    })),
    ...documents.map(({ digest, size, fate }) => ({ key: digest, size, fate })),
  ];
  for (const { key, size, fate } of contents) {
    if (!seen.has(key)) total[fate] += size;
    seen.add(key);
  }
  return { sentBytes: total.send, mountedBytes: total.mount, skippedBytes: total.there };
}
