import type { Command } from "commander";
import { ToolError } from "../../ground/errors/index.ts";
import { parseReplacement } from "../../models/export/index.ts";
import type { Context } from "../context.ts";
import { exportModel, type ExportResult } from "../export-model.ts";
import { formatBytes } from "../render/format.ts";

interface Flags {
  readonly output: string;
  readonly outputs?: string;
  readonly step?: string;
  readonly input?: readonly string[];
}

/** `slipway export tf-checkpoint DIR`. */
export function define(command: Command, context: Context): void {
  command
    .command("tf-checkpoint")
    .description("freeze a TensorFlow checkpoint into one graph file, without TensorFlow")
    .argument("<dir>", "folder that the training wrote, or a checkpoint's prefix in it")
    .option("-o, --output <file>", "where the frozen graph goes", "frozen_inference_graph.pb")
    .option(
      "--outputs <names>",
      "tensors that the graph is to give, with commas; default its signature's, or the Object Detection API's",
    )
    .option("--step <number>", "the checkpoint of this step; default the newest")
    .option(
      "--input <node=spec...>",
      "put an input in a tensor's place: NODE[:SLOT]=NAME, =TYPE[SHAPE] or =NAME:TYPE[SHAPE]",
    )
    .addHelpText(
      "after",
      "\nExample:\n  slipway export tf-checkpoint ./train -o frozen_inference_graph.pb --outputs probs\n  slipway export tf-checkpoint ./train --outputs logits --input 'batch:0=float32[?,224,224,3]'",
    )
    .action(async (source: string, flags: Flags) => {
      const result = await exportModel(
        {
          source,
          output: flags.output,
          outputs: flags.outputs?.split(",").map((name) => name.trim()),
          step: flags.step === undefined ? undefined : parseStep(flags.step),
          inputs: flags.input?.map(parseReplacement),
        },
        context,
      );
      reportExport(result, context);
    });
}

function reportExport(result: ExportResult, { reporter }: Context): void {
  reporter.line(`${result.output}  ${formatBytes(result.size)}, ${result.nodes} nodes`);
  reporter.line(`  from     ${result.checkpoint}`);
  reporter.line(`  inputs   ${result.inputs.join(", ")}`);
  reporter.line(`  outputs  ${result.outputs.join(", ")}`);
  reporter.result({ ...result });
}

function parseStep(text: string): bigint {
  if (/^\d{1,30}$/.test(text)) return BigInt(text);
  throw new ToolError("USAGE", `slipway export: "${text}" is no step`, {
    hint: "give the number behind the last dash of the checkpoint's name",
  });
}
