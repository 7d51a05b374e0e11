import { join } from "node:path";
import { Option, type Command } from "commander";
import { parseInputType } from "../app/export-words/index.ts";
import { exportCheckpoint } from "../app/index.ts";
import { ToolError } from "../ground/errors/index.ts";
import type { Cli } from "./cli.ts";
import { reportExport } from "./render/export.ts";

/** Flags of the Object Detection API's exporter, by the names that Commander gives them. */
interface ExporterFlags {
  readonly input_type: string;
  readonly pipeline_config_path?: string;
  readonly trained_checkpoint_prefix?: string;
  readonly output_directory?: string;
  readonly config_override?: string;
  readonly input_shape?: string;
}

/** What a training platform adds to every command; the exporter has no use for it. */
const PLATFORM_FLAGS = ["work_dir", "data_dir", "output_dir", "log_dir", "num_gpus"] as const;

/**
 * `slipway export …/export_inference_graph.py FLAGS`: the command line of the documented export job. Writes what its users take:
 * `frozen_inference_graph.pb`, `saved_model/` and a copy of `pipeline.config`.
 */
export function defineExporterJob(command: Command, cli: Cli): void {
  command
    .description("export with the flags of the Object Detection API's export_inference_graph.py")
    .argument("[script]", "the exporter's path, as in the command of a training job; not read")
    .option("--input_type <type>", "how images come in", "image_tensor")
    .option("--pipeline_config_path <file>", "pipeline.config")
    .option("--trained_checkpoint_prefix <prefix>", "checkpoint, such as model.ckpt-200000")
    .option("--output_directory <dir>", "where the files go")
    .addOption(new Option("--config_override <text>").hideHelp())
    .addOption(new Option("--input_shape <sizes>").hideHelp())
    .addOption(new Option("--write_inference_graph [truth]").hideHelp());
  for (const flag of PLATFORM_FLAGS) command.addOption(new Option(`--${flag} <value>`).hideHelp());
  command.action((script: string | undefined, flags: ExporterFlags) =>
    runExporter(script, flags, cli),
  );
}

async function runExporter(
  script: string | undefined,
  flags: ExporterFlags,
  cli: Cli,
): Promise<void> {
  assertExporter(script);
  const {
    pipeline_config_path: pipelineConfig,
    trained_checkpoint_prefix: source,
    output_directory: folder,
  } = flags;
  if (source === undefined || folder === undefined || pipelineConfig === undefined)
    throw new ToolError(
      "USAGE",
      "slipway export: --pipeline_config_path, --trained_checkpoint_prefix and --output_directory are all needed",
      { hint: "give them, or use `slipway export tf-checkpoint DIR`" },
    );
  for (const flag of ["config_override", "input_shape"] as const)
    if ((flags[flag] ?? "") !== "")
      throw new ToolError("USAGE", `slipway export: --${flag} is not known here`, {
        hint: "leave it out; change pipeline.config instead",
      });
  const result = await exportCheckpoint(
    {
      source,
      pipelineConfig,
      output: join(folder, "frozen_inference_graph.pb"),
      savedModel: join(folder, "saved_model"),
      inputType: parseInputType(flags.input_type),
      pipelineCopy: join(folder, "pipeline.config"),
    },
    cli.session,
  );
  reportExport(result, cli.reporter);
}

/** A word that is no exporter's script is a subcommand that was mistyped. */
function assertExporter(script: string | undefined): void {
  if (script === undefined || /(?:^|\/)export_inference_graph\.py$/.test(script)) return;
  throw new ToolError("USAGE", `slipway export: unknown command "${script}"`, {
    hint: "use tf-checkpoint DIR, saved-model DIR, or …/export_inference_graph.py with its flags",
  });
}
