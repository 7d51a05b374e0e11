import { removeImage } from "../../app/index.ts";
import type { CommandModule } from "../command.ts";
import { addRegistryFlags, withRegistryFlags, type RegistryFlags } from "../registry-flags.ts";

interface Flags extends RegistryFlags {
  readonly manifest?: boolean;
}

/** `slipway rm NAME...`. */
export const define: CommandModule["define"] = (command, cli) => {
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
    .action(async (names: readonly string[], flags: Flags) => {
      const { session, reporter } = await withRegistryFlags(cli, flags, names);
      for (const name of names) {
        await removeImage(name, { isManifest: flags.manifest }, session);
        reporter.line(`removed ${name}`);
      }
      reporter.result({ removed: names });
    });
};
