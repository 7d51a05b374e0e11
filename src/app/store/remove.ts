import { parseLocation } from "../../images/copy/index.ts";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import type { Reference } from "../../images/oci/index.ts";
import { openRepository, openStore } from "../places/places.ts";
import type { Places } from "../session.ts";

/** How an image is removed. */
export interface RemoveOptions {
  /** In a registry: removes the manifest that the tag points at, and so all its tags. Default false. */
  readonly isManifest?: boolean | undefined;
}

/**
 * Removes a name of the store or of a registry. Content of the store goes with the next `collectGarbage`.
 * @throws ToolError `USAGE`, `REFERENCE_NOT_FOUND`, and RegistryError `REGISTRY_REFUSED` where the registry does not remove.
 */
export async function removeImage(
  name: string,
  { isManifest = false }: RemoveOptions,
  session: Places,
): Promise<void> {
  const location = parseLocation(name);
  if (location.kind === "store") return removeFromStore(name, location.reference, session);
  if (location.kind === "registry")
    return removeFromRegistry(name, location.reference, { isManifest, session });
  throw new ToolError(
    "USAGE",
    `rm "${name}": only images of the store and of registries are removed here`,
    { hint: "remove folders and archives as files, and an engine's images with the engine" },
  );
}

async function removeFromStore(name: string, reference: Reference, session: Places): Promise<void> {
  await using store = await openStore(session);
  if (await store.untag(reference, session)) return;
  throw new ToolError("REFERENCE_NOT_FOUND", `rm "${name}": the store has no such image`, {
    hint: "run `slipway ls` to see what it has",
  });
}

async function removeFromRegistry(
  name: string,
  reference: Reference,
  { isManifest, session }: { readonly isManifest: boolean; readonly session: Places },
): Promise<void> {
  if (reference.digest === undefined && !/:[^/]+$/.test(name))
    throw new ToolError("USAGE", `rm "${name}": it names neither a tag nor a digest`, {
      hint: `write ${name}:TAG or ${name}@DIGEST`,
    });
  await using place = await openRepository(reference, session);
  if (reference.digest !== undefined)
    return await place.source.deleteManifest(reference.digest, session);
  if (isManifest)
    return await place.source.deleteManifest(
      (await place.source.resolve(reference, session)).digest,
      session,
    );
  try {
    await place.source.deleteTag(reference.tag ?? "latest", session);
  } catch (error) {
    if (!isToolError(error) || error.code !== "REGISTRY_REFUSED") throw error;
    throw new ToolError(
      "REGISTRY_REFUSED",
      `rm "${name}": the registry does not remove single tags`,
      {
        cause: error,
        hint: "with --manifest the manifest goes, and all its tags with it, where the registry allows that",
      },
    );
  }
}
