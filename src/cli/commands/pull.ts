import { pull } from "../../app/index.ts";
import type { CommandModule } from "../command.ts";
import { addRegistryFlags, withRegistryFlags, type RegistryFlags } from "../registry-flags.ts";
import { reportMoved } from "../render/moved.ts";

/** `slipway pull REF`. */
export const define: CommandModule["define"] = (command, cli) => {
  addRegistryFlags(command)
    .argument("<reference>", "HOST/REPOSITORY[:TAG|@DIGEST]")
    .option("--platform <os/arch>", "of a multi-platform image, pull this one only")
    .addHelpText(
      "after",
      "\nExample:\n  slipway pull registry.example.com/team/iris:v1 --platform linux/arm64",
    )
    .action(async (name: string, flags: RegistryFlags & { readonly platform?: string }) => {
      const startedAt = performance.now();
      const { session, reporter } = await withRegistryFlags(cli, flags, [name]);
      const moved = await pull({ name, platform: flags.platform }, session);
      reportMoved(reporter, { verb: "pulled", to: name, moved, startedAt });
    });
};
