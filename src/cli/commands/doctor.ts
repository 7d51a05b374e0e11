import { checkImage, checkMachine, registryHostOf } from "../../app/index.ts";
import type { CommandModule } from "../command.ts";
import { addReachFlags, withReachFlags, type ReachFlags } from "../registry-flags.ts";
import { reportChecks } from "../render/checks.ts";

interface Flags extends ReachFlags {
  readonly registry?: string;
}

/** `slipway doctor [IMAGE]`. */
export const define: CommandModule["define"] = (command, cli) => {
  addReachFlags(command)
    .argument("[image]", "check this image instead: store:NAME, HOST/REPOSITORY, oci:DIR, …")
    .option(
      "--registry <host>",
      "also ask this registry whether it answers and takes the credential",
    )
    .addHelpText(
      "after",
      "\nEnds well unless a check fails.\n\nExample:\n  slipway doctor --registry registry.example.com\n  slipway doctor store:iris",
    )
    .action(async (image: string | undefined, flags: Flags) => {
      const { session, reporter } = withReachFlags(cli, flags);
      const registry = flags.registry === undefined ? undefined : registryHostOf(flags.registry);
      if (image === undefined)
        return reportChecks(await checkMachine(registry, session), "this machine", reporter);
      reportChecks(await checkImage(image, session), `"${image}"`, reporter);
    });
};
