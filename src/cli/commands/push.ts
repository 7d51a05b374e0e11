import { push } from "../../app/index.ts";
import type { CommandModule } from "../command.ts";
import { addRegistryFlags, withRegistryFlags, type RegistryFlags } from "../registry-flags.ts";
import { reportMoved } from "../render/moved.ts";

/** `slipway push NAME [TARGET]`. */
export const define: CommandModule["define"] = (command, cli) => {
  addRegistryFlags(command, { sends: true })
    .argument("<name>", "an image of the local store: the name it was packed with, or store:NAME")
    .argument("[target]", "where to; the name itself when it names a registry")
    .addHelpText(
      "after",
      "\nExample:\n  slipway push registry.example.com/team/iris:v1\n  slipway push store:iris:v1 registry.example.com/team/iris:v1",
    )
    .action(async (name: string, target: string | undefined, flags: RegistryFlags) => {
      const startedAt = performance.now();
      const to = target ?? name;
      const { session, reporter } = await withRegistryFlags(cli, flags, [to]);
      const moved = await push({ name, to }, session);
      reportMoved(reporter, { verb: "pushed", to, moved, startedAt });
    });
};
