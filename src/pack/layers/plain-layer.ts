import { createHash } from "node:crypto";
import { openPlan, type CallOptions, type ContentPlan } from "../../internal/index.ts";
import { MEDIA_TYPES, type Descriptor, type Digest, type UnhashedLayer } from "../../oci/index.ts";
import type { DigestCache } from "../ports.ts";

/** A layer that is a recipe over the user's own files: no copy of them exists, and it is never compressed. */
export interface PlanLayer extends UnhashedLayer {
  readonly plan: ContentPlan;
}

/** True for layers that a store can keep by recipe. */
export function isPlanLayer(layer: object): layer is PlanLayer {
  return "plan" in layer && "adopt" in layer;
}

/**
 * A plain tar layer. Its digest comes from the cache while the files are unchanged; else from whoever reads the content first: `adopt`
 * takes it from a sink that hashed on the way, `descriptor` reads the files once.
 * @throws from its streams: ToolError `FILE_CHANGED` naming the file.
 */
export function createPlainLayer(plan: ContentPlan, digests: DigestCache): PlanLayer {
  let digest: Promise<Digest> | undefined;
  const describe = (found: Digest): Descriptor => ({ mediaType: MEDIA_TYPES.layerTar, digest: found, size: plan.size });
  const known = async (): Promise<Digest | undefined> => {
    if (digest !== undefined) return digest;
    const cached = await digests.get(plan);
    if (cached !== undefined) digest = Promise.resolve(cached);
    return cached;
  };
  const adopt = async (found: Digest): Promise<void> => {
    digest = Promise.resolve(found);
    await digests.set(plan, found);
  };
  const digestOnce = async (options?: CallOptions): Promise<Digest> => {
    const found = await known();
    if (found !== undefined) return found;
    const attempt = hashOf(plan, options);
    digest ??= attempt;
    attempt.catch(() => {
      if (digest === attempt) digest = undefined;
    });
    const hashed = await digest;
    await digests.set(plan, hashed);
    return hashed;
  };
  return {
    plan,
    mediaType: MEDIA_TYPES.layerTar,
    size: plan.size,
    known: async () => {
      const found = await known();
      return found === undefined ? undefined : describe(found);
    },
    adopt,
    descriptor: async (options) => describe(await digestOnce(options)),
    diffId: digestOnce,
    open: (options = {}) => openPlan(plan, options),
  };
}

async function hashOf(plan: ContentPlan, options: CallOptions = {}): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of openPlan(plan, options)) hash.update(chunk);
  return `sha256:${hash.digest("hex")}`;
}
