import { Option, type Command } from "commander";
import { ToolError } from "../../errors/index.ts";
import type { Context } from "../context.ts";
import { collect } from "../options.ts";
import { addTrainPackOptions, frameworkOf, type TrainPackFlags } from "../train-flags.ts";
import type { TrainRunFlags } from "../train-run.ts";

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
  defineRun(command, context);
}

function defineRun(command: Command, context: Context): void {
  command
    .command("run")
    .description("run the local test of a packed job with docker or podman, and follow it")
    .argument("[parameters...]", "more parameters of the script, after --")
    .option("--plan <file>", "what train pack wrote (default: slipway-train.json)")
    .option("--image <name>", "another image than the plan's")
    .option("--data <folder>", "data to train on (default: the plan's)")
    .option("--output <folder>", "where the results go (default: the plan's)")
    .addOption(new Option("--engine <name>", "use this engine (default: the one that answers, docker first)").choices(["docker", "podman"]))
    .option("--gpus <which>", "run the GPU image on these cards, such as all")
    .option("--nproc <count>", "processes on this machine, with the environment of a distributed job")
    .option("--servers <count>", "parameter servers beside them (tf, mxnet)")
    .option("-e, --env <name=value>", "environment; NAME alone hands on this shell's value", collect)
    .option("--host", "run on this machine, without a container")
    .option("--python <path>", "with --host: this Python (default: the active environment's)")
    .option("--svg <file>", "picture of the metrics (default: slipway-train.svg)")
    .option("--pull", "ask the registry, though the store has an image of that name")
    .addHelpText("after", "\nMetrics are numbers printed as key=value or as JSON lines, and scalars of TensorBoard files in the output folder.\n\nExample:\n  slipway train run\n  slipway train run --nproc 2 -- --epochs 3")
    .action(async (parameters: readonly string[], flags: TrainRunFlags) => {
      const { trainRun } = await import("../train-run.ts");
      await trainRun(parameters, flags, context);
    });
}
