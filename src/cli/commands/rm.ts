import type { Command } from "commander";
import { parseLocation } from "../../images/copy/index.ts";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import type { Reference } from "../../images/oci/index.ts";
import type { Context } from "../../app/context.ts";
import { openRepository, openStore } from "../../app/places/places.ts";
import { addRegistryFlags, withRegistryFlags, type RegistryFlags } from "../registry-flags.ts";

interface Flags extends RegistryFlags {
  readonly manifest?: boolean;
}

/** `slipway rm NAME...`. */
export function define(command: Command, context: Context): void {
  addRegistryFlags(command)
    .argument("<names...>", "store:NAME[:TAG], or HOST/REPOSITORY with a tag or a digest")
    .option(
      "--manifest",
      "in a registry: remove the manifest that the tag points at, and so all its tags",
    )
    .addHelpText(
      "after",
      "\nContent of the store goes with the next `slipway gc`.\n\nExample:\n  slipway rm store:iris:v1\n  slipway rm registry.example.com/team/iris:v1 --manifest",
    )
    .action(async (names: readonly string[], flags: Flags) =>
      remove(names, flags, await withRegistryFlags(context, flags, names)),
    );
}

async function remove(names: readonly string[], flags: Flags, context: Context): Promise<void> {
  const targets = names.map((name) => ({ name, location: parseLocation(name) }));
  for (const { name, location } of targets) {
    if (location.kind === "store") await removeFromStore(name, location.reference, context);
    else if (location.kind === "registry")
      await removeFromRegistry(name, location.reference, { flags, context });
    else
      throw new ToolError(
        "USAGE",
        `rm "${name}": only images of the store and of registries are removed here`,
        { hint: "remove folders and archives as files, and an engine's images with the engine" },
      );
    context.reporter.line(`removed ${name}`);
  }
  context.reporter.result({ removed: names });
}

async function removeFromStore(
  name: string,
  reference: Reference,
  context: Context,
): Promise<void> {
  await using store = await openStore(context);
  if (await store.untag(reference, context)) return;
  throw new ToolError("REFERENCE_NOT_FOUND", `rm "${name}": the store has no such image`, {
    hint: "run `slipway ls` to see what it has",
  });
}

async function removeFromRegistry(
  name: string,
  reference: Reference,
  { flags, context }: { readonly flags: Flags; readonly context: Context },
): Promise<void> {
  if (reference.digest === undefined && !/:[^/]+$/.test(name))
    throw new ToolError("USAGE", `rm "${name}": it names neither a tag nor a digest`, {
      hint: `write ${name}:TAG or ${name}@DIGEST`,
    });
  await using place = await openRepository(reference, context);
  if (reference.digest !== undefined)
    return await place.source.deleteManifest(reference.digest, context);
  if (flags.manifest === true)
    return await place.source.deleteManifest(
      (await place.source.resolve(reference, context)).digest,
      context,
    );
  try {
    await place.source.deleteTag(reference.tag ?? "latest", context);
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
