import type { Command } from "commander";
import { parsePlatform } from "../../images/oci/index.ts";
import type { Context } from "../../app/context.ts";
import { move, reportMoved } from "../../app/places/move.ts";
import { addRegistryFlags, withRegistryFlags, type RegistryFlags } from "../registry-flags.ts";

/** `slipway copy SOURCE TARGET`. */
export function define(command: Command, context: Context): void {
  addRegistryFlags(command, { sends: true })
    .argument(
      "<source>",
      "store:NAME | HOST/REPOSITORY | oci:DIR | oci-archive:FILE | docker-archive:FILE | docker-daemon:REF | podman:REF",
    )
    .argument("<target>", "the same, with a tag where the place has tags")
    .option("--platform <os/arch>", "of a multi-platform image, copy this one only")
    .option(
      "--referrers",
      "from a registry: also what refers to the image, such as signatures and bills of materials",
    )
    .addHelpText(
      "after",
      "\nExample:\n  slipway copy store:iris:v1 oci-archive:iris.tar\n  slipway copy docker-daemon:old:1 registry.example.com/team/old:1",
    )
    .action(
      async (
        source: string,
        target: string,
        options: RegistryFlags & { readonly platform?: string; readonly referrers?: boolean },
      ) => {
        const startedAt = performance.now();
        const platform =
          options.platform === undefined ? undefined : parsePlatform(options.platform);
        const moved = await move(
          { from: source, to: target, platform, withReferrers: options.referrers },
          await withRegistryFlags(context, options, [source, target]),
        );
        reportMoved(context, { verb: "copied", to: target, moved, startedAt });
      },
    );
}
