import {
  isForeignLayer,
  parseReference,
  type Descriptor,
  type Digest,
  type Reference,
} from "../../images/oci/index.ts";
import { isToolError } from "../../ground/errors/index.ts";
import type { Store } from "../../images/store/index.ts";
import type { Places } from "../session.ts";
import { manifestsUnder } from "./look.ts";
import { openRepository } from "./places.ts";

/** A layer that an image of the store needs and only its base's registry has: bases are not downloaded for packing. */
export interface BaseLayer {
  readonly layer: Descriptor;
  readonly base: Reference;
}

const BASE_NAME = "org.opencontainers.image.base.name";

/** The images of registries that what `target` is or lists stands on. @throws ContentError when a manifest is damaged. */
export async function basesOf(
  store: Store,
  target: Descriptor,
  session: Places,
): Promise<readonly Reference[]> {
  const names = (await manifestsUnder(store, target, session)).map(({ manifest }) =>
    baseOf(manifest.annotations),
  );
  return [...new Set(names)].flatMap((name) => (name === undefined ? [] : [parseReference(name)]));
}

/** The layers below `target` that the store does not have. */
async function missingLayers(
  store: Store,
  target: Descriptor,
  session: Places,
): Promise<readonly BaseLayer[]> {
  const found: BaseLayer[] = [];
  for (const { manifest } of await manifestsUnder(store, target, session)) {
    const name = baseOf(manifest.annotations);
    for (const layer of name === undefined ? [] : manifest.layers) {
      if (
        name !== undefined &&
        !isForeignLayer(layer.mediaType) &&
        (await store.sizeOf(layer.digest)) === undefined
      )
        found.push({ layer, base: parseReference(name) });
    }
  }
  return found;
}

/** The same for all images of the store. One that is damaged does not hide the others. */
export async function missingInStore(store: Store, session: Places): Promise<readonly BaseLayer[]> {
  const found = new Map<Digest, BaseLayer>();
  for (const { descriptor } of await store.list(session)) {
    try {
      for (const missing of await missingLayers(store, descriptor, session))
        found.set(missing.layer.digest, missing);
    } catch (error) {
      if (!isToolError(error) || error.code === "INTERRUPTED") throw error;
    }
  }
  return [...found.values()];
}

/** Brings a layer into the store. @throws what the registry's client throws. */
export async function fetchBaseLayer(
  store: Store,
  { layer, base }: BaseLayer,
  session: Places,
): Promise<void> {
  await using place = await openRepository(base, session);
  await store.put(layer, place.source.open(layer, session), session);
}

function baseOf(annotations: Readonly<Record<string, string>> | undefined): string | undefined {
  const name = annotations?.[BASE_NAME];
  return name === undefined || name.startsWith("store:") ? undefined : name;
}
