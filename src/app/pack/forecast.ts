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
import type { Places } from "../session.ts";
import { openForWriting } from "../places/places.ts";
import type { Packed } from "./deliver.ts";

/** What a push does with a blob: sends it, takes it from the base's repository, or finds it there. */
export type Fate = "send" | "mount" | "there";

/** What a push to one name would come to, told without sending anything. */
export interface PushForecast {
  readonly name: string;
  /** False when the registry does not answer; then nothing is known. */
  readonly isAnswered: boolean;
  /** Layers, configs and manifests, each content once. */
  readonly sentBytes: number;
  readonly mountedBytes: number;
  readonly skippedBytes: number;
  /** False when there are files whose digest nobody knows yet: what depends on them is not counted. */
  readonly isExact: boolean;
}

/** What a push does with a layer of an image that is not packed yet. */
export type FateOf = (layer: Layer) => Fate | undefined;

/** A forecast, and what it says of each layer. */
export interface ForecastAnswer {
  readonly forecast: PushForecast;
  readonly fateOf: FateOf;
}

interface Counted extends Pick<Descriptor, "digest" | "size"> {
  readonly fate: Fate;
}

/** Asks the registry of a name which blobs it has. */
export async function forecastPush(
  name: string,
  images: readonly Packed[],
  session: Places,
): Promise<ForecastAnswer> {
  const layers = images.flatMap(({ image }) => image.layers);
  const isExact = layers.every(({ digest }) => digest !== undefined);
  try {
    await using place = await openForWriting(name, session);
    const { sink } = place;
    const fates = new Map<Layer, Fate>();
    for (const planned of images)
      for (const [layer, fate] of await fatesOf(planned, {
        sink,
        reference: place.reference,
        session,
      }))
        fates.set(layer, fate);
    const documents = isExact
      ? (await Promise.all(images.map((planned) => documentsOf(planned, sink, session)))).flat()
      : [];
    return {
      forecast: { name, ...sums(layers, fates, documents), isExact, isAnswered: true },
      fateOf: (layer) => fates.get(layer),
    };
  } catch (error) {
    if (!isToolError(error) || error.code === "INTERRUPTED") throw error;
    return {
      forecast: {
        name,
        sentBytes: 0,
        mountedBytes: 0,
        skippedBytes: 0,
        isExact: false,
        isAnswered: false,
      },
      fateOf: () => undefined,
    };
  }
}

/** Names that are in a registry. */
export function registryNames(names: readonly string[]): readonly string[] {
  return names.filter((name) => parseLocation(name).kind === "registry");
}

interface Target {
  readonly sink: Sink;
  readonly reference: Reference;
  readonly session: Places;
}

async function fatesOf(
  { image, base }: Packed,
  { sink, reference, session }: Target,
): Promise<readonly (readonly [Layer, Fate])[]> {
  const canMount = base.mountFrom?.registry === reference.registry;
  return Promise.all(
    image.layers.map(async ({ layer, digest, size, state }) => {
      if (digest === undefined) return [layer, "send"] as const;
      const target: Descriptor = { mediaType: MEDIA_TYPES.layerTar, digest, size };
      if (await sink.has(target, session)) return [layer, "there"] as const;
      const isElsewhere =
        (state === "base" && canMount) || (await mountSourcesOf(sink, target, session)).length > 0;
      return [layer, isElsewhere ? "mount" : "send"] as const;
    }),
  );
}

/** Repositories of the same registry that are known to have the content. */
async function mountSourcesOf(
  sink: Sink & Partial<Pick<MountSink, "mountSources">>,
  target: Descriptor,
  session: Places,
): Promise<readonly Reference[]> {
  return (await sink.mountSources?.(target, session)) ?? [];
}

const MAX_HASHED_BYTES = 256 * 2 ** 20;

/** Hashes the new files that are small enough to be read for a plan; what they cost is saved at the next pack. */
export async function withSmallDigests(
  images: readonly Packed[],
  session: Places,
): Promise<readonly Packed[]> {
  const hashed = async (planned: PlannedLayer): Promise<PlannedLayer> =>
    planned.digest !== undefined || planned.size > MAX_HASHED_BYTES
      ? planned
      : { ...planned, digest: (await planned.layer.descriptor(session)).digest };
  return Promise.all(
    images.map(async (planned) => ({
      ...planned,
      image: { ...planned.image, layers: await Promise.all(planned.image.layers.map(hashed)) },
    })),
  );
}

/** Config and manifest of an image, whose bytes are known when every layer is. A manifest is a blob of its own kind and is always asked for. */
async function documentsOf(
  { image }: Packed,
  sink: Sink,
  session: Places,
): Promise<readonly Counted[]> {
  const { config } = await manifestOf(image.image, session);
  const manifest = await imageDescriptor(image.image, session);
  return Promise.all(
    [config, manifest].map(async ({ digest, size, mediaType }): Promise<Counted> => ({
      digest,
      size,
      fate: (await sink.has({ digest, size, mediaType }, session)) ? "there" : "send",
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
