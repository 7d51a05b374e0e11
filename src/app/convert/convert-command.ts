import { ToolError } from "../../ground/errors/index.ts";
import { count, flag, needed, parsed, text, texts } from "../options/kinds.ts";
import { RESOLVER } from "../options/needs.ts";
import type { CommandSpec } from "../options/option.ts";
import { PACKING } from "../options/shared.ts";
import type { ConvertRequest } from "./convert-model.ts";

/** `slipway convert MODEL -o model.onnx`. */
export const CONVERT_COMMAND: CommandSpec<ConvertRequest> = {
  options: {
    source: needed("<model>", "file or folder of the model"),
    output: needed("-o, --output <file>", "where the ONNX file goes", { byDefault: "model.onnx" }),
    inputs: texts(
      "--inputs <file>",
      "JSON with inputs to compare on, as a V2 request; may come more than once",
    ),
    shapes: {
      flags: [
        {
          form: "--shape <name=sizes>",
          help: "shape of an input whose axes are not all known, such as image=1,224,224,3; may come more than once",
          isRepeated: true,
        },
      ],
      read: ([given = []]) =>
        given.length === 0 ? undefined : Object.fromEntries(given.map(parseShape)),
    },
    tolerance: parsed(
      "--tolerance <number>",
      "largest difference of a number that passes, beyond 1 by its size (default: 1e-4)",
      parseTolerance,
    ),
    signature: text("--signature <name>", "signature of a SavedModel (default: serving_default)"),
    outputs: text("--outputs <names>", "tensors of a graph that are its outputs, with commas"),
    opset: count("--opset <number>", "newest operator set of ONNX to use (default: 17)"),
    python: text(
      "--python <name>",
      "interpreter, or a version such as 3.11 (default: python3); an environment is made on it",
    ),
    isInstalled: flag("--no-install", "use that interpreter with the packages that it has"),
    allowPickle: PACKING.allowPickle(),
    findLinks: PACKING.findLinks(),
    indexUrl: PACKING.indexUrl(),
  },
  needs: [RESOLVER],
  examples: [
    "slipway convert iris.joblib -o model.onnx",
    "slipway convert ./saved_model -o model.onnx --inputs sample.json",
    "slipway convert net.pt -o net.onnx --inputs picture.json --tolerance 1e-3",
  ],
};

function parseShape(given: string): readonly [string, readonly number[]] {
  const [, name = "", sizes = ""] = /^(.+)=\[?(\d{1,9}(?:,\d{1,9})*)\]?$/.exec(given) ?? [];
  if (name !== "") return [name, sizes.split(",").map(Number)];
  throw new ToolError("USAGE", `slipway convert: "${given}" is no shape`, {
    hint: "write --shape NAME=SIZE,SIZE,…, such as --shape image=1,224,224,3",
  });
}

function parseTolerance(given: string): number {
  const value = Number(given);
  if (given.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new ToolError("USAGE", `slipway convert: "${given}" is no tolerance`, {
    hint: "give a number from 0, such as 1e-4",
  });
}
