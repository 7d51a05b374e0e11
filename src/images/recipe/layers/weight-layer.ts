import {
  hashPlan,
  openPlan,
  planKey,
  type CallOptions,
  type ContentPlan,
} from "../../../ground/bytes/index.ts";
import { MEDIA_TYPES, type Descriptor, type Digest, type UnhashedLayer } from "../../oci/index.ts";
import type { DigestMemory, PackStore, ReadProgress } from "../context.ts";
import { layerPlan } from "./layer-plan.ts";
import type { LayerEntry } from "./layer-tree.ts";

export interface WeightLayerContext {
  readonly store: Pick<PackStore, "putPlan">;
  readonly digests: DigestMemory;
  readonly epochS: number;
  /** Layers of this run by what is in them, so that several images share one and it is read once. */
  readonly made?: Map<string, Promise<UnhashedLayer>>;
  /** Told of a long pass for the digest alone. */
  readonly onRead?: ((progress: ReadProgress) => void) | undefined;
}

/** Pages of memory: weights that begin at one can be mapped from the layer as it lies. */
const ALIGNMENT = 4096;

/** Below this a pass for the digest is over before anyone asks what takes so long. */
const TOLD_BYTES = 64 * 2 ** 20;

/**
 * A layer of large files as a plain tar that is never written down: headers, and references to the files where they lie, each at a
 * multiple of 4096 bytes. Its
 * digest comes from the cache when the files have not changed; the store learns of it by recipe.
 * @param label - what a person calls the content
 */
export async function weightLayer(
  entries: readonly LayerEntry[],
  label: string,
  context: WeightLayerContext,
): Promise<UnhashedLayer> {
  const plan = layerPlan(entries, context.epochS, ALIGNMENT);
  const key = planKey(plan);
  const made = context.made?.get(key) ?? makeLayer(plan, label, context);
  context.made?.set(key, made);
  return made;
}

async function makeLayer(
  plan: ContentPlan,
  label: string,
  context: WeightLayerContext,
): Promise<UnhashedLayer> {
  const key = planKey(plan);
  let digest: Digest | undefined = await context.digests.get(plan);
  const descriptorOf = (known: Digest): Descriptor => ({
    mediaType: MEDIA_TYPES.layerTar,
    digest: known,
    size: plan.size,
  });
  const keep = async (found: Digest, options?: CallOptions): Promise<Digest> => {
    digest = found;
    await context.store.putPlan(descriptorOf(found), plan, options);
    return found;
  };
  if (digest !== undefined) await keep(digest);
  const ensure = async (options?: CallOptions): Promise<Digest> => {
    if (digest !== undefined) return digest;
    const found: Digest = `sha256:${await hashPlan(plan, { ...options, ...told(plan, { id: `read:${key}`, label }, context) })}`;
    await context.digests.set(plan, found);
    return keep(found, options);
  };
  return {
    mediaType: MEDIA_TYPES.layerTar,
    size: plan.size,
    key,
    known: () => Promise.resolve(digest === undefined ? undefined : descriptorOf(digest)),
    descriptor: async (options) => descriptorOf(await ensure(options)),
    diffId: ensure,
    open: (options) => openPlan(plan, options),
    openFrom: (offset, options) => openPlan(plan, { ...options, offset }),
    resemblesKnown: (options) => context.digests.resembles(plan, options),
    async adopt(found) {
      await context.digests.set(plan, found);
      await keep(found);
    },
  };
}

/** Reports a pass over a plan as it goes, where that takes a while. */
function told(
  { size }: ContentPlan,
  about: Pick<ReadProgress, "id" | "label">,
  { onRead }: WeightLayerContext,
): { readonly onProgress?: (bytes: number) => void } {
  if (size < TOLD_BYTES || onRead === undefined) return {};
  let read = 0;
  onRead({ ...about, state: "start", bytes: 0, size });
  return {
    onProgress(bytes) {
      read += bytes;
      onRead({ ...about, state: read < size ? "progress" : "done", bytes: read, size });
    },
  };
}
