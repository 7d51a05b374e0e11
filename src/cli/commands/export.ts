import type { Command } from "commander";
import { INPUT_TYPES, parseInputType, parseReplacement } from "../../app/export-words/index.ts";
import { exportCheckpoint, exportSavedModel } from "../../app/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import type { Cli } from "../cli.ts";
import type { CommandModule } from "../command.ts";
import { defineExporterJob } from "../exporter-job.ts";
import { reportExport } from "../render/export.ts";

interface Flags {
  readonly output: string;
  readonly savedModel?: string;
  readonly outputs?: string;
  readonly input?: readonly string[];
  readonly inputType?: string;
}

const EXAMPLES = `
Example:
  slipway export tf-checkpoint ./train -o frozen_inference_graph.pb --outputs probs
  slipway export tf-checkpoint ./train --outputs logits --input 'batch:0=float32[?,224,224,3]'
  slipway export saved-model ./saved_model -o frozen_inference_graph.pb
  slipway export /data/object_detection/export_inference_graph.py --input_type image_tensor \\
    --pipeline_config_path /data/data/pipeline.config \\
    --trained_checkpoint_prefix /data/data/model.ckpt-200000 --output_directory /data/output/`;

/** `slipway export`. */
export const define: CommandModule["define"] = (command, cli) => {
  defineCheckpoint(command.command("tf-checkpoint"), cli);
  defineSavedModel(command.command("saved-model"), cli);
  defineExporterJob(command.command("inference-graph", { isDefault: true }), cli);
  command.addHelpText("after", EXAMPLES);
};

function defineCheckpoint(command: Command, cli: Cli): void {
  addFlags(
    command
      .description("freeze a TensorFlow checkpoint and its graph into one file, without TensorFlow")
      .argument("<dir>", "folder that the training wrote, or a checkpoint's prefix in it")
      .option("--step <number>", "the checkpoint of this step; default the newest")
      .option(
        "--pipeline-config <file>",
        "of the Object Detection API, for training graphs; default pipeline.config beside the checkpoint",
      ),
  ).action(
    async (
      source: string,
      flags: Flags & { readonly step?: string; readonly pipelineConfig?: string },
    ) => {
      const step = flags.step === undefined ? undefined : parseStep(flags.step);
      const { pipelineConfig } = flags;
      const request = { source, step, pipelineConfig, ...sharedOf(flags) };
      reportExport(await exportCheckpoint(request, cli.session), cli.reporter);
    },
  );
}

function defineSavedModel(command: Command, cli: Cli): void {
  addFlags(
    command
      .description("freeze a SavedModel into one file, without TensorFlow")
      .argument("<dir>", "folder with saved_model.pb")
      .option("--tags <tags>", "the graph with these tags, with commas; default serve")
      .option("--signature <name>", "give this signature's outputs; default serving_default"),
  ).action(
    async (
      source: string,
      flags: Flags & { readonly tags?: string; readonly signature?: string },
    ) => {
      const { tags, signature } = flags;
      const request = { source, tags: tags?.split(","), signature, ...sharedOf(flags) };
      reportExport(await exportSavedModel(request, cli.session), cli.reporter);
    },
  );
}

function addFlags(command: Command): Command {
  return command
    .option("-o, --output <file>", "where the frozen graph goes", "frozen_inference_graph.pb")
    .option("--saved-model <dir>", "write the same graph as a SavedModel too")
    .option(
      "--outputs <names>",
      "tensors to give, with commas; default the signature's, or the Object Detection API's",
    )
    .option(
      "--input <node=spec...>",
      "put an input in a tensor's place: NODE[:SLOT]=NAME, =TYPE[SHAPE] or =NAME:TYPE[SHAPE]",
    )
    .option(
      "--input-type <type>",
      `how images come into a detection graph: ${INPUT_TYPES.join(", ")}`,
    )
    .addHelpText("after", EXAMPLES);
}

function sharedOf(
  flags: Flags,
): Pick<
  Parameters<typeof exportCheckpoint>[0],
  "output" | "savedModel" | "outputs" | "inputs" | "inputType"
> {
  return {
    output: flags.output,
    savedModel: flags.savedModel,
    outputs: flags.outputs?.split(",").map((name) => name.trim()),
    inputs: flags.input?.map(parseReplacement),
    inputType: flags.inputType === undefined ? undefined : parseInputType(flags.inputType),
  };
}

function parseStep(text: string): bigint {
  if (/^\d{1,30}$/.test(text)) return BigInt(text);
  throw new ToolError("USAGE", `slipway export: "${text}" is no step`, {
    hint: "give the number behind the last dash of the checkpoint's name",
  });
}
