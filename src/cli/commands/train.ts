import type { Command } from "commander";
import { ToolError } from "../../errors/index.ts";
import type { Context } from "../context.ts";
import { addTrainPackOptions, frameworkOf, type TrainPackFlags } from "../train-flags.ts";

/** `slipway train`. */
export function define(command: Command, context: Context): void {
  command.addHelpText("after", "\nExample:\n  slipway train pack --framework pytorch --help").action(() => {
    throw new ToolError("USAGE", "train: it does not say what to do", { hint: "write `slipway train pack --framework pytorch …`" });
  });
  const pack = command.command("pack").description("make a CPU and a GPU image from training code, and the commands that run them").option("--framework <name>", "pytorch, tf, keras, caffe, mxnet or self");
  addTrainPackOptions(pack);
  pack
    .addHelpText(
      "after",
      "\nExample:\n  slipway train pack --framework pytorch --ai_arch_v pytorch-2.6.0 --code_path ./code --mainfile_path mnist.py \\\n    --uhub_registry registry.example.com/team --uhub_imagename mnist --test_data_path ./data --test_output_path ./output",
    )
    .action(async (flags: TrainPackFlags) => {
      const { trainPack } = await import("../train-pack.ts");
      await trainPack(frameworkOf(flags.framework), flags, context);
    });
}
