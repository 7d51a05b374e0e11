import { createHash } from "node:crypto";
import { access, copyFile, mkdir, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { createTempDir } from "../../ground/process/index.ts";
import { PROJECT_FILE_NAME, type ProjectFile } from "../../models/description/index.ts";
import type { DetectedModel } from "../../models/kinds/index.ts";
import { loadProject, type ProjectRequest } from "../pack/project.ts";
import {
  convertModel,
  converterFor,
  requirementsOf,
  type ConverterSession,
} from "./convert-model.ts";

/** Goes up when folders of older versions must not be used again. */
const LAYOUT_VERSION = 1;
const MODEL = "model.onnx";
const LABELS = "labels.txt";

/**
 * A project with the model of another one as ONNX: the same settings, and no Python. It is kept in the data folder by what the files of the
 * model are, since images refer to the file in it, and made once.
 * @returns its absolute path.
 * @throws ToolError what `convertModel` and `loadProject` throw.
 */
export async function optimizedFolder(
  folder: string,
  request: ProjectRequest,
  session: ConverterSession,
): Promise<string> {
  const { file, detected, project, tree } = await loadProject(folder, request, { session });
  if (detected.chosen.kind === "onnx" && detected.chosen.code === undefined) return folder;
  const converter = converterFor(folder, detected);
  const guards = tree.files
    .filter(({ path }) => detected.files.includes(path))
    .map(
      ({ path, guard: { dev, ino, size, mtimeNs } }) => `${path} ${dev} ${ino} ${size} ${mtimeNs}`,
    );
  const facts = [LAYOUT_VERSION, project.root, guards, requirementsOf(detected), converter, file];
  const key = createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 32);
  const parent = join(session.directories.data, "optimized");
  const kept = join(parent, key, basename(project.root));
  if (await isThere(join(kept, PROJECT_FILE_NAME))) return kept;
  await mkdir(parent, { recursive: true });
  await using draft = await createTempDir(key, parent);
  const made = join(draft.path, basename(project.root));
  await mkdir(made);
  const output = join(made, MODEL);
  await convertModel({ ...request, source: folder, output }, session);
  await writeProject(made, { file, detected, root: project.root, name: project.name });
  await mkdir(join(parent, key), { recursive: true });
  await rename(made, kept);
  return kept;
}

interface Original {
  readonly file: ProjectFile;
  readonly detected: DetectedModel;
  readonly root: string;
  readonly name: string;
}

/** Everything that the project file says, but for what loads the old model. */
async function writeProject(
  folder: string,
  { file, detected, root, name }: Original,
): Promise<void> {
  const { python: _python, allowPickle: _allow, ...others } = file;
  // JSON is YAML too.
  const text = JSON.stringify({ ...others, name, model: MODEL, kind: "onnx" }, undefined, 2);
  const labels = file.postprocess?.labels;
  if (labels !== undefined) {
    await mkdir(dirname(resolve(folder, labels)), { recursive: true });
    await copyFile(resolve(root, labels), resolve(folder, labels));
  } else if (detected.labels !== undefined)
    await writeFile(join(folder, LABELS), detected.labels.map((label) => `${label}\n`).join(""));
  await writeFile(join(folder, PROJECT_FILE_NAME), `${text}\n`);
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
