import { posix } from "node:path";
import { openReader } from "../../../ground/bytes/index.ts";
import { ProjectError } from "../../../ground/errors/index.ts";
import type { Candidate, KindRow, ModelFacts, ModelFile } from "../contracts.ts";
import { readOnnx } from "./read-model.ts";

/** ONNX: one `.onnx` file, and the files beside it that hold its weights. */
export const onnx: KindRow = {
  name: "onnx",
  runtime: "onnx",
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
  const file = files.find(({ path }) => path === modelPath);
  if (file === undefined)
    throw new ProjectError("MODEL_FILE_INVALID", `read "${modelPath}": there is no such file`, {
      file: modelPath,
    });
  using reader = openReader(file.location, modelPath);
  const { signature, external, irVersion, opset, producer, warnings } = readOnnx(reader, modelPath);
  const beside = [...external].map(([path, bytes]) =>
    checkExternal({ path: posix.join(posix.dirname(modelPath), path), bytes }, modelPath, files),
  );
  return {
    signature,
    files: [modelPath, ...beside.toSorted()],
    warnings: warnings.map((warning) => `"${modelPath}": ${warning}`),
    details: {
      irVersion: String(irVersion),
      ...(opset === undefined ? {} : { opset: String(opset) }),
      ...(producer === undefined || producer === "" ? {} : { producer }),
    },
  };
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
