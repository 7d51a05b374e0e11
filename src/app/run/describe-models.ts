import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ProjectError } from "../../ground/errors/index.ts";
import { mapLimited, noFile } from "../../ground/process/index.ts";
import type { ModelDescription } from "../../models/description/index.ts";
import { PROJECT_FILE_NAME } from "../../models/description/index.ts";
import { protocolOf } from "../../serving/protocols/index.ts";
import { loadProject, type ProjectRequest } from "../pack/project.ts";
import type { Surroundings } from "../session.ts";
import { describeProject, type DescribeOptions } from "./describe-project.ts";

/** Files that make a folder one of a model, as a folder of models has them. */
const MARKS = ["model.py", "model.onnx", "metadata.json", PROJECT_FILE_NAME];
/** Files that make the outer folder a project of its own. */
const PROJECT_FILES = /\.(?:py|[mc]?[jt]s|onnx|pkl|joblib)$/;
/** Folders that are read at the same time. */
const READ_AT_ONCE = 8;
const CONTRACT = "kserve";

/**
 * Names of the models in a folder of models: folders that each hold `model.py`, `model.onnx`, `metadata.json` or a project file, in a
 * folder that is no project itself. Sorted; none where the folder is a project.
 */
export async function modelFoldersIn(folder: string): Promise<readonly string[]> {
  const entries = (await readdir(folder, { withFileTypes: true }).catch(noFile)) ?? []; // whoever reads the project says why
  const isProject = entries.some(
    ({ name }) => name === PROJECT_FILE_NAME || PROJECT_FILES.test(name),
  );
  if (isProject) return [];
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const marked = await mapLimited(names, READ_AT_ONCE, (name) => isModelFolder(join(folder, name)));
  return names.filter((name, at) => !name.startsWith(".") && marked[at] === true).sort();
}

async function isModelFolder(folder: string): Promise<boolean> {
  const found = await Promise.all(
    MARKS.map((name) =>
      stat(join(folder, name)).then(
        (stats) => stats.isFile(),
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

/** Where models are, and how they are to be read. */
export interface ModelFolder {
  readonly folder: string;
  /** As `modelFoldersIn` found them; at least one. */
  readonly names: readonly string[];
  readonly project: ProjectRequest;
  readonly options: DescribeOptions;
}

/**
 * Descriptions of the models of a folder, each called like its own folder, with the ports of Open Inference. What cannot be read is left
 * out with a warning.
 * @throws ProjectError `MODEL_NOT_DETECTED` when none can be read
 */
export async function describeModels(
  { folder, names, project: said, options }: ModelFolder,
  session: Surroundings,
): Promise<readonly ModelDescription[]> {
  const read = async (name: string): Promise<ModelDescription | undefined> => {
    try {
      const path = join(resolve(session.cwd, folder), name);
      const { project } = await loadProject(path, said, { session });
      const described = await describeProject(project, options, session);
      return { ...described, name, contract: CONTRACT, ports: protocolOf(CONTRACT).defaultPorts };
    } catch (error) {
      session.signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      session.emit({ kind: "warning", text: `the model "${name}" is left out: ${why}` });
      return undefined;
    }
  };
  const found = (await mapLimited(names, READ_AT_ONCE, read)).filter((one) => one !== undefined);
  if (found.length > 0) return found;
  throw new ProjectError(
    "MODEL_NOT_DETECTED",
    `read the models in "${folder}": none of its ${names.length} can be read`,
    { file: folder, hint: "read the warnings above" },
  );
}
