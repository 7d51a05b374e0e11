import type { Command } from "commander";
import { parseLocation } from "../../images/copy/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import type { Context } from "../../app/context.ts";
import { move, reportMoved } from "../../app/places/move.ts";
import { addRegistryFlags, withRegistryFlags, type RegistryFlags } from "../registry-flags.ts";

/** `slipway push NAME [TARGET]`. */
export function define(command: Command, context: Context): void {
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
      if (parseLocation(to).kind !== "registry")
        throw new ToolError("USAGE", `push "${name}": "${to}" is not in a registry`, {
          hint: "name the target: slipway push store:NAME HOST/REPOSITORY:TAG",
        });
      const moved = await move(
        { from: name, to, isFromStore: true },
        await withRegistryFlags(context, flags, [to]),
      );
      reportMoved(context, { verb: "pushed", to, moved, startedAt });
    });
}
