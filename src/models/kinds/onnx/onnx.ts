import { posix } from "node:path";
import { ProjectError } from "../../../ground/errors/index.ts";
import type { Candidate, KindRow, ModelFacts, ModelFile } from "../contracts.ts";
import { modelFileAt, openModelFile } from "../files/model-file.ts";
import { labelsInText } from "../files/labels.ts";
import { readOnnx, type OnnxFacts } from "./read-model.ts";

const MAX_SHOWN = 1000;
/** PaddleOCR, Ultralytics and others. */
const LABEL_KEYS = ["character", "labels", "classes", "class_names", "names"];

/** ONNX: one `.onnx` file, and the files beside it that hold its weights. */
export const onnx: KindRow = {
  name: "onnx",
  requirements: [],
  recognise: (files) =>
    Promise.resolve(
      files
        .filter(({ path }) => path.toLowerCase().endsWith(".onnx"))
        .map(({ path }): Candidate => ({
          kind: "onnx",
          modelPath: path,
          isCertain: false,
          label: `ONNX model "${path}"`,
        })),
    ),
  describe: ({ modelPath = "" }, files) => Promise.resolve(readFacts(modelPath, files)),
};

function readFacts(modelPath: string, files: readonly ModelFile[]): ModelFacts {
  using reader = openModelFile(modelFileAt(files, modelPath), "an ONNX model");
  const facts = readOnnx(reader, modelPath);
  const { signature, external, warnings, metadata } = facts;
  const beside = [...external].map(([path, bytes]) =>
    checkExternal({ path: posix.join(posix.dirname(modelPath), path), bytes }, modelPath, files),
  );
  return {
    signature,
    inputs: facts.inputs,
    outputs: facts.outputs,
    files: [modelPath, ...beside.toSorted()],
    warnings: warnings.map((warning) => `"${modelPath}": ${warning}`),
    ...labelsOf(metadata),
    details: onnxDetails(facts),
  };
}

function onnxDetails({
  irVersion,
  opset,
  opsets,
  producer = "",
  producerVersion = "",
  nodes,
  initializers,
  metadata,
}: OnnxFacts): ModelFacts["details"] {
  const writer = `${producer} ${producerVersion}`.trim();
  return {
    irVersion: String(irVersion),
    ...(opset !== undefined && { opset: String(opset) }),
    opsets,
    ...(writer !== "" && { producer: writer }),
    nodes,
    initializers,
    ...(Object.keys(metadata).length > 0 && {
      metadata: Object.fromEntries(
        Object.entries(metadata).map(([key, value]) => [
          key,
          value.length > MAX_SHOWN ? `${Array.from(value).length} characters` : value,
        ]),
      ),
    }),
  };
}

/** Exporters keep the names of classes under keys of their own. */
function labelsOf(metadata: Readonly<Record<string, string>>): Pick<ModelFacts, "labels"> {
  const text = LABEL_KEYS.map((key) => metadata[key]).find((value) => value !== undefined);
  const labels = text === undefined ? [] : labelsInText(text);
  return labels.length > 0 ? { labels } : {};
}

function checkExternal(
  { path, bytes }: { readonly path: string; readonly bytes: number },
  modelPath: string,
  files: readonly ModelFile[],
): string {
  const file = files.find((one) => one.path === path);
  if (file === undefined)
    throw new ProjectError(
      "MODEL_FILE_INVALID",
      `read "${modelPath}": its weights are in "${path}", which is not there`,
      {
        file: modelPath,
        hint: "put the file beside the model, and make sure that .slipwayignore does not name it",
      },
    );
  if (file.size < bytes)
    throw new ProjectError(
      "MODEL_FILE_INVALID",
      `read "${modelPath}": its weights take ${bytes} bytes of "${path}", which has ${file.size}`,
      { file: path, hint: "the file was cut short: copy it again" },
    );
  return path;
}
