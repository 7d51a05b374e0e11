import { join } from "node:path";
import { ToolError } from "../ground/errors/index.ts";
import { INPUT_TYPES, parseInputType, parseReplacement } from "../models/export/index.ts";
import type { CheckpointExport, SavedModelExport } from "./export.ts";
import { ignored, needed, parsed, parsedEach, text } from "./options/kinds.ts";
import type { CommandSpec, NoRequest, Option, Options } from "./options/option.ts";

const EXAMPLES = [
  "slipway export tf-checkpoint ./train -o frozen_inference_graph.pb --outputs probs",
  "slipway export tf-checkpoint ./train --outputs logits --input 'batch:0=float32[?,224,224,3]'",
  "slipway export saved-model ./saved_model -o frozen_inference_graph.pb",
  "slipway export /data/object_detection/export_inference_graph.py --input_type image_tensor \\\n    --pipeline_config_path /data/data/pipeline.config \\\n    --trained_checkpoint_prefix /data/data/model.ckpt-200000 --output_directory /data/output/",
];

/** `slipway export`. */
export const EXPORT_COMMAND: CommandSpec<NoRequest> = { options: {}, examples: EXAMPLES };

type SharedWords = Pick<
  CheckpointExport,
  "output" | "savedModel" | "outputs" | "inputs" | "inputType"
>;

const SHARED: Options<SharedWords> = {
  output: needed("-o, --output <file>", "where the frozen graph goes", {
    byDefault: "frozen_inference_graph.pb",
  }),
  savedModel: text("--saved-model <dir>", "write the same graph as a SavedModel too"),
  outputs: parsed(
    "--outputs <names>",
    "tensors to give, with commas; default the signature's, or the Object Detection API's",
    (value) => value.split(",").map((name) => name.trim()),
  ),
  inputs: parsedEach(
    "--input <node=spec...>",
    "put an input in a tensor's place: NODE[:SLOT]=NAME, =TYPE[SHAPE] or =NAME:TYPE[SHAPE]",
    (value) => [parseReplacement(value)],
  ),
  inputType: parsed(
    "--input-type <type>",
    `how images come into a detection graph: ${INPUT_TYPES.join(", ")}`,
    parseInputType,
  ),
};

/** `slipway export tf-checkpoint DIR`. */
export const CHECKPOINT_COMMAND: CommandSpec<CheckpointExport> = {
  options: {
    source: needed("<dir>", "folder that the training wrote, or a checkpoint's prefix in it"),
    step: parsed("--step <number>", "the checkpoint of this step; default the newest", parseStep),
    pipelineConfig: text(
      "--pipeline-config <file>",
      "of the Object Detection API, for training graphs; default pipeline.config beside the checkpoint",
    ),
    ...SHARED,
  },
  examples: EXAMPLES,
};

/** `slipway export saved-model DIR`. */
export const SAVED_MODEL_COMMAND: CommandSpec<SavedModelExport> = {
  options: {
    source: needed("<dir>", "folder with saved_model.pb"),
    tags: parsed(
      "--tags <tags>",
      "the graph with these tags, with commas; default serve",
      (value) => value.split(","),
    ),
    signature: text("--signature <name>", "give this signature's outputs; default serving_default"),
    ...SHARED,
  },
  examples: EXAMPLES,
};

function parseStep(text: string): bigint {
  if (/^\d{1,30}$/.test(text)) return BigInt(text);
  throw new ToolError("USAGE", `slipway export: "${text}" is no step`, {
    hint: "give the number behind the last dash of the checkpoint's name",
  });
}

/** The documented export job's command line: a script's path, flags of the Object Detection API's exporter, and the job's own. */
export interface ExporterWords {
  /** What is exported, and where what its users take goes: `frozen_inference_graph.pb`, `saved_model/` and a copy of `pipeline.config`. */
  readonly job: CheckpointExport;
}

const SCRIPT = {
  form: "[script]",
  help: "the exporter's path, as in the command of a training job; not read",
};
const INPUT_TYPE = {
  form: "--input_type <type>",
  help: "how images come in",
  byDefault: "image_tensor",
};
const PIPELINE = { form: "--pipeline_config_path <file>", help: "pipeline.config" };
const PREFIX = {
  form: "--trained_checkpoint_prefix <prefix>",
  help: "checkpoint, such as model.ckpt-200000",
};
const TARGET = { form: "--output_directory <dir>", help: "where the files go" };
const UNKNOWN = ["config_override", "input_shape"].map((name) => ({
  form: `--${name} <text>`,
  help: "",
  isHidden: true,
}));

const EXPORTER_JOB: Option<CheckpointExport> = {
  flags: [SCRIPT, INPUT_TYPE, PIPELINE, PREFIX, TARGET, ...UNKNOWN],
  read(given) {
    const [script, inputType, pipelineConfig, source, folder, ...unknown] = given.map((texts) =>
      texts.at(-1),
    );
    assertExporter(script);
    if (source === undefined || folder === undefined || pipelineConfig === undefined)
      throw new ToolError(
        "USAGE",
        "slipway export: --pipeline_config_path, --trained_checkpoint_prefix and --output_directory are all needed",
        { hint: "give them, or use `slipway export tf-checkpoint DIR`" },
      );
    const wrong = UNKNOWN.find((_, index) => (unknown[index] ?? "") !== "");
    if (wrong !== undefined)
      throw new ToolError(
        "USAGE",
        `slipway export: ${wrong.form.replace(" <text>", "")} is not known here`,
        { hint: "leave it out; change pipeline.config instead" },
      );
    return {
      source,
      pipelineConfig,
      output: join(folder, "frozen_inference_graph.pb"),
      savedModel: join(folder, "saved_model"),
      inputType: parseInputType(inputType ?? ""),
      pipelineCopy: join(folder, "pipeline.config"),
    };
  },
};

/** `slipway export …/export_inference_graph.py FLAGS`. */
export const EXPORTER_COMMAND: CommandSpec<ExporterWords> = {
  options: {
    job: {
      ...EXPORTER_JOB,
      flags: [
        ...EXPORTER_JOB.flags,
        // What a training platform adds to every command; the exporter has no use for it.
        ...ignored(
          "--write_inference_graph [truth]",
          ...["work_dir", "data_dir", "output_dir", "log_dir", "num_gpus"].map(
            (name) => `--${name} <value>`,
          ),
        ).flags,
      ],
    },
  },
  isDefault: true,
};

/** A word that is no exporter's script is a subcommand that was mistyped. */
function assertExporter(script: string | undefined): void {
  if (script === undefined || /(?:^|\/)export_inference_graph\.py$/.test(script)) return;
  throw new ToolError("USAGE", `slipway export: unknown command "${script}"`, {
    hint: "use tf-checkpoint DIR, saved-model DIR, or …/export_inference_graph.py with its flags",
  });
}
