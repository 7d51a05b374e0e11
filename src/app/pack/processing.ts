import { join } from "node:path";
import { ProjectError } from "../../ground/errors/index.ts";
import type { ModelDescription, ProjectFile } from "../../models/description/index.ts";
import { PROJECT_FILE_NAME } from "../../models/description/index.ts";
import { readLabelsFile, type DetectedModel } from "../../models/kinds/index.ts";

/** What a description says of pictures, of answers and of classes, and of what a class takes and gives. */
export type Processing = Pick<
  ModelDescription,
  "preprocess" | "postprocess" | "labels" | "signature"
>;

/**
 * Settings of the project file, and names of classes: those of the file that it names, else those that the model or a file beside it has.
 * @throws ProjectError `PROJECT_INVALID` for a file of names that is not there, or holds none, and for a signature of a model whose file says it
 */
export function processingOf(
  root: string,
  { preprocess, postprocess = {}, signature }: ProjectFile,
  detected: Pick<DetectedModel, "labels" | "chosen">,
): Processing {
  if (signature !== undefined && detected.chosen.kind !== "class")
    refuseSignature(detected.chosen.kind);
  const { labels: path, ...others } = postprocess;
  const labels = path === undefined ? detected.labels : labelsAt(root, path);
  return {
    ...(preprocess !== undefined && { preprocess }),
    ...(Object.keys(others).length > 0 && { postprocess: others }),
    ...(labels !== undefined && { labels }),
    ...(signature !== undefined && {
      signature: { inputs: signature.inputs ?? [], outputs: signature.outputs ?? [] },
    }),
  };
}

function refuseSignature(kind: string): never {
  throw new ProjectError(
    "PROJECT_INVALID",
    `read the signature of a model of the kind ${kind}: its file says what it takes and gives`,
    { file: PROJECT_FILE_NAME, keyPath: "signature", hint: "leave it out; it is for classes" },
  );
}

function labelsAt(root: string, path: string): readonly string[] {
  const labels = readLabelsFile(join(root, path));
  if (labels !== undefined) return labels;
  throw new ProjectError(
    "PROJECT_INVALID",
    `read the names of classes in "${path}": it is not there, or holds none`,
    {
      file: PROJECT_FILE_NAME,
      keyPath: "postprocess.labels",
      hint: "name a text file with a name on each line, JSON, or a label map (.pbtxt)",
    },
  );
}
