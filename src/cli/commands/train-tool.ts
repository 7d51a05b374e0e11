import type { TrainFramework } from "../../app/words/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import type { CommandModule } from "../command.ts";
import { packTraining } from "../train-actions.ts";
import { addTrainPackOptions, type TrainPackFlags } from "../train-flags.ts";

/** `slipway pytorch pack` and its siblings: the old tools' own spelling. */
export function trainTool(framework: TrainFramework): CommandModule {
  return {
    define(command, cli) {
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
        .action((flags: TrainPackFlags) => packTraining(framework, flags, cli));
    },
  };
}
