import type { Command } from "commander";
import type { Context } from "../../app/context.ts";
import { exportCheckpoint, exportSavedModel, type ExportResult } from "../../app/export.ts";
import { formatBytes } from "../../app/format.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { parseReplacement } from "../../models/export/index.ts";

interface Flags {
  readonly output: string;
  readonly savedModel?: string;
  readonly outputs?: string;
  readonly input?: readonly string[];
}

const EXAMPLES = `
Example:
  slipway export tf-checkpoint ./train -o frozen_inference_graph.pb --outputs probs
  slipway export tf-checkpoint ./train --outputs logits --input 'batch:0=float32[?,224,224,3]'
  slipway export saved-model ./saved_model -o frozen_inference_graph.pb`;

/** `slipway export`. */
export function define(command: Command, context: Context): void {
  defineCheckpoint(command.command("tf-checkpoint"), context);
  defineSavedModel(command.command("saved-model"), context);
  command.addHelpText("after", EXAMPLES);
}

function defineCheckpoint(command: Command, context: Context): void {
  addFlags(
    command
      .description("freeze a TensorFlow checkpoint and its graph into one file, without TensorFlow")
      .argument("<dir>", "folder that the training wrote, or a checkpoint's prefix in it")
      .option("--step <number>", "the checkpoint of this step; default the newest"),
  ).action(async (source: string, flags: Flags & { readonly step?: string }) => {
    const step = flags.step === undefined ? undefined : parseStep(flags.step);
    reportExport(await exportCheckpoint({ source, step, ...sharedOf(flags) }, context), context);
  });
}

function defineSavedModel(command: Command, context: Context): void {
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
      reportExport(await exportSavedModel(request, context), context);
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
    .addHelpText("after", EXAMPLES);
}

function sharedOf(
  flags: Flags,
): Pick<Parameters<typeof exportCheckpoint>[0], "output" | "savedModel" | "outputs" | "inputs"> {
  return {
    output: flags.output,
    savedModel: flags.savedModel,
    outputs: flags.outputs?.split(",").map((name) => name.trim()),
    inputs: flags.input?.map(parseReplacement),
  };
}

function reportExport(result: ExportResult, { reporter }: Context): void {
  reporter.line(`${result.output}  ${formatBytes(result.size)}, ${result.nodes} nodes`);
  reporter.line(`  from     ${result.source}`);
  reporter.line(`  inputs   ${result.inputs.join(", ")}`);
  reporter.line(`  outputs  ${result.outputs.join(", ")}`);
  if (result.savedModel !== undefined) reporter.line(`  as well  ${result.savedModel}`);
  reporter.result({ ...result });
}

function parseStep(text: string): bigint {
  if (/^\d{1,30}$/.test(text)) return BigInt(text);
  throw new ToolError("USAGE", `slipway export: "${text}" is no step`, {
    hint: "give the number behind the last dash of the checkpoint's name",
  });
}
