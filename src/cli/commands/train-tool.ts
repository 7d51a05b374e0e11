import type { Command } from "commander";
import { ToolError } from "../../ground/errors/index.ts";
import type { Framework } from "../../jobs/train/index.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../../app/context.ts";
import type { TrainPackFlags } from "../../app/train/train-values.ts";
import { addTrainPackOptions } from "../train-flags.ts";

/** `slipway pytorch pack` and its siblings: the old tools' own spelling. */
export function trainTool(framework: Framework): CommandModule {
  return {
    define(command: Command, context: Context): void {
      command.addHelpText("after", `\nExample:\n  slipway ${framework} pack --help`).action(() => {
        throw new ToolError("USAGE", `${framework}: it does not say what to do`, {
          hint: `write \`slipway ${framework} pack …\``,
        });
      });
      const pack = command
        .command("pack")
        .description(
          "make a CPU and a GPU image from training code, and the commands that run them",
        );
      addTrainPackOptions(pack, framework);
      pack
        .addHelpText(
          "after",
          `\nThe same as \`slipway train pack --framework ${framework}\`.\n\nExample:\n  slipway ${framework} pack --code_path ./code/ --mainfile_path train.py …`,
        )
        .action(async (flags: TrainPackFlags) => {
          const { trainPack } = await import("../../app/train/train-pack.ts");
          await trainPack(framework, flags, context);
        });
    },
  };
}
