import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import { createTempDir, noFile } from "../../ground/process/index.ts";
import { PROJECT_FILE_NAME, type ProjectFile } from "../../models/description/index.ts";
import type { DetectedModel } from "../../models/kinds/index.ts";
import { loadProject, type LoadedProject, type ProjectRequest } from "../pack/project.ts";
import {
  convertDetected,
  converterFor,
  requirementsOf,
  type Conversion,
  type ConvertResult,
  type ConverterSession,
} from "./convert-model.ts";
import type { Converter } from "./converters.ts";

/** Goes up when folders of older versions must not be used again. */
const LAYOUT_VERSION = 2;
const MODEL = "model.onnx";
const LABELS = "labels.txt";
/** Beside the project, so that no image gets it. */
const CONVERSION = "conversion.json";

/** A project to pack in the place of another one. */
export interface OptimizedFolder extends AsyncDisposable {
  /** Folder of the project. Absolute, or as given where the model is ONNX already. */
  readonly path: string;
  /** How the model became ONNX; `undefined` where it is ONNX already. */
  readonly conversion?: Conversion | undefined;
}

/** What is converted, and for how long it is kept. */
export interface OptimizeRequest extends ProjectRequest {
  readonly folder: string;
  /** False to take away what was made with the result; what is kept already is used. */
  readonly isKept: boolean;
}

/**
 * A project with the model of another one as ONNX: the same settings, and no Python. It is kept in the data folder by what the files of the
 * model are, since images refer to the file in it, and made once.
 * @throws ToolError what `convertDetected` and `loadProject` throw.
 */
export async function optimizedFolder(
  request: OptimizeRequest,
  session: ConverterSession,
): Promise<OptimizedFolder> {
  const { folder, isKept } = request;
  const original = await loadProject(folder, request, { session });
  const { chosen } = original.detected;
  if (chosen.kind === "onnx" && chosen.code === undefined) return withDisposal({ path: folder });
  const name = basename(original.project.root);
  const parent = join(session.directories.data, "optimized");
  const kept = join(parent, keyOf(original, converterFor(folder, original.detected)));
  const known = await readConversion(kept);
  if (known !== undefined) return withDisposal({ path: join(kept, name), conversion: known });
  if (isKept) await mkdir(parent, { recursive: true });
  // What is not kept stands where temporary files do.
  const draft = await createTempDir("slipway-optimized", isKept ? parent : undefined);
  try {
    const conversion = await makeIn(draft.path, { request, original, session });
    if (!isKept)
      return {
        path: join(draft.path, name),
        conversion,
        [Symbol.asyncDispose]: () => draft[Symbol.asyncDispose](),
      };
    const others = await keep(draft.path, kept);
    await draft[Symbol.asyncDispose]();
    return withDisposal({ path: join(kept, name), conversion: others ?? conversion });
  } catch (error) {
    await draft[Symbol.asyncDispose]();
    throw error;
  }
}

function withDisposal(found: Pick<OptimizedFolder, "path" | "conversion">): OptimizedFolder {
  return { ...found, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** Names what is made of these files by these packages. */
function keyOf({ file, detected, project, tree }: LoadedProject, converter: Converter): string {
  const guards = tree.files
    .filter(({ path }) => detected.files.includes(path))
    .map(
      ({ path, guard: { dev, ino, size, mtimeNs } }) => `${path} ${dev} ${ino} ${size} ${mtimeNs}`,
    );
  const facts = [LAYOUT_VERSION, project.root, guards, requirementsOf(detected), converter, file];
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 32);
}

/** The last file that is written: where it is, the project is whole. */
async function readConversion(folder: string): Promise<Conversion | undefined> {
  const text = await readFile(join(folder, CONVERSION), "utf8").catch(noFile);
  // Our own program writes it.
  return text === undefined ? undefined : (JSON.parse(text) as Conversion);
}

/** Moves a folder to its place. @returns what another process put there at the same time, if it did. */
async function keep(from: string, to: string): Promise<Conversion | undefined> {
  try {
    await rename(from, to);
    return undefined;
  } catch (error) {
    const others = await readConversion(to);
    if (others === undefined) throw error;
    return others;
  }
}

interface Making {
  readonly request: OptimizeRequest;
  readonly original: LoadedProject;
  readonly session: ConverterSession;
}

/** Writes the project, and what came of the comparison beside it. */
async function makeIn(folder: string, { request, original, session }: Making): Promise<Conversion> {
  const { file, detected, project } = original;
  const made = join(folder, basename(project.root));
  await mkdir(made);
  const { output: _output, ...conversion } = await convertForPack(
    { request, original, session },
    join(made, MODEL),
  );
  await writeProject(made, { file, detected, root: project.root, name: project.name });
  await writeFile(join(folder, CONVERSION), `${JSON.stringify(conversion)}\n`);
  return conversion;
}

const OF_CONVERTING = new Set(["UNSUPPORTED", "USAGE", "CONVERSION_DIFFERS"]);

/** Converts; hints name options that `pack` does not have, so it gives its own. */
async function convertForPack(
  { request, original, session }: Making,
  output: string,
): Promise<ConvertResult> {
  const { folder, indexUrl, findLinks } = request;
  const { project, detected } = original;
  try {
    // Other options of a pack go by names that mean something else here.
    return await convertDetected(
      { source: folder, output, allowPickle: project.allowPickle, indexUrl, findLinks },
      { detected, root: project.root },
      session,
    );
  } catch (error) {
    if (!(error instanceof ToolError) || !OF_CONVERTING.has(error.code)) throw error;
    throw new ToolError(error.code, error.message, {
      cause: error,
      hint: "pack it as it is, without --optimize, or make the file by `slipway convert`, which takes --inputs, --shape, --tolerance and more, and pack that",
    });
  }
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
