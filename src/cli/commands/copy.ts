import { copy } from "../../app/index.ts";
import type { CommandModule } from "../command.ts";
import { addRegistryFlags, withRegistryFlags, type RegistryFlags } from "../registry-flags.ts";
import { reportMoved } from "../render/moved.ts";

interface Flags extends RegistryFlags {
  readonly platform?: string;
  readonly referrers?: boolean;
}

/** `slipway copy SOURCE TARGET`. */
export const define: CommandModule["define"] = (command, cli) => {
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
    .action(async (from: string, to: string, flags: Flags) => {
      const startedAt = performance.now();
      const { session, reporter } = await withRegistryFlags(cli, flags, [from, to]);
      const request = { from, to, platform: flags.platform, withReferrers: flags.referrers };
      const moved = await copy(request, session);
      reportMoved(reporter, { verb: "copied", to, moved, startedAt });
    });
};
