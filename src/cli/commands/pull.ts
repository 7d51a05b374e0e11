import type { Command } from "commander";
import { parsePlatform } from "../../images/oci/index.ts";
import type { Context } from "../../app/context.ts";
import { move, reportMoved } from "../../app/places/move.ts";
import { addRegistryFlags, withRegistryFlags, type RegistryFlags } from "../registry-flags.ts";

/** `slipway pull REF`. */
export function define(command: Command, context: Context): void {
  addRegistryFlags(command)
    .argument("<reference>", "HOST/REPOSITORY[:TAG|@DIGEST]")
    .option("--platform <os/arch>", "of a multi-platform image, pull this one only")
    .addHelpText(
      "after",
      "\nExample:\n  slipway pull registry.example.com/team/iris:v1 --platform linux/arm64",
    )
    .action(async (reference: string, options: RegistryFlags & { readonly platform?: string }) => {
      const startedAt = performance.now();
      const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
      const moved = await move(
        { from: reference, to: reference, isToStore: true, platform },
        await withRegistryFlags(context, options, [reference]),
      );
      reportMoved(context, { verb: "pulled", to: reference, moved, startedAt });
    });
}
