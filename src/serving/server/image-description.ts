import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import { parseDescription, type ModelDescription } from "../../models/description/index.ts";
import type { Environment } from "./seldon/launch.ts";

const MODEL_FILE = "/opt/slipway/model.json";

/**
 * Reads what the image serves: `/opt/slipway/model.json`, or what `SLIPWAY_MODEL` names. `SLIPWAY_ROOT` stands before absolute paths.
 * @throws ToolError `PROJECT_NOT_FOUND`; what `parseDescription` throws
 */
export async function readDescription(env: Environment): Promise<ModelDescription> {
  const root = env["SLIPWAY_ROOT"] ?? "";
  const file = env["SLIPWAY_MODEL"] ?? join(root, MODEL_FILE);
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new ToolError(
      "PROJECT_NOT_FOUND",
      `read the model description "${file}": ${error instanceof Error ? error.message : ""}`,
      { cause: error, hint: "name it in SLIPWAY_MODEL" },
    );
  });
  return root === "" ? parseDescription(bytes, file) : rebase(parseDescription(bytes, file), root);
}

/** Absolute paths of an image that lies unpacked under `root`. */
function rebase(description: ModelDescription, root: string): ModelDescription {
  const at = (path: string): string => (path.startsWith("/") ? join(root, path) : path);
  const { modelPath, codePath, python } = description;
  return {
    ...description,
    ...(modelPath !== undefined && { modelPath: at(modelPath) }),
    ...(codePath !== undefined && { codePath: at(codePath) }),
    ...(python !== undefined && {
      python: { executable: at(python.executable), path: python.path.map(at) },
    }),
  };
}
