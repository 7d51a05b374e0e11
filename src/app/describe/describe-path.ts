import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { noFile } from "../../ground/process/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { walkTree } from "../../images/pack/index.ts";
import {
  detectModel,
  kindRow,
  type DetectedModel,
  type ModelFile,
} from "../../models/kinds/index.ts";
import { kindRuntime, type KindRuntime } from "../../models/description/index.ts";
import type { Surroundings } from "../session.ts";
import { modelFile, readProjectFile } from "../pack/project.ts";

/** A model file or folder, described from its files alone. */
export interface DescribedModel {
  /** As the user wrote it. */
  readonly path: string;
  readonly detected: DetectedModel;
  /** Bytes of all files of the model. */
  readonly bytes: number;
  /** Python packages that serve it; empty when it needs none. */
  readonly requirements: readonly string[];
  /** What runs it. */
  readonly runtime: KindRuntime;
}

const MAX_BESIDE = 20_000;

/**
 * Describes what lies at a path: a folder with all that is below it, or a file with those beside it.
 * @param allowed - classes and functions, as `MODULE.NAME`, that pickles may import beside those that the project file names.
 * @throws ToolError `MODEL_NOT_DETECTED`, `MODEL_FILE_INVALID`, `PROJECT_NOT_FOUND`.
 */
export async function describePath(
  path: string,
  session: Surroundings,
  allowed: readonly string[] = [],
): Promise<DescribedModel> {
  const location = resolve(session.cwd, path);
  const stats = await stat(location).catch(noFile);
  if (stats === undefined)
    throw new ToolError("PROJECT_NOT_FOUND", `read "${path}": there is no such file or folder`);
  const { allowPickle = [], ...request } = stats.isDirectory()
    ? await inFolder(location, session)
    : await beside(location);
  const detected = await detectModel(
    { folder: path, ...request },
    { signal: session.signal, allowPickle: [...allowPickle, ...allowed] },
  );
  const sizes = new Map(request.files.map((file) => [file.path, file.size]));
  const bytes = detected.files.reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
  const { requirements = kindRow(detected.chosen.kind).requirements } = detected;
  const runtime = kindRuntime(detected.chosen.kind);
  return { path, detected, bytes, requirements, runtime };
}

type Request = Omit<Parameters<typeof detectModel>[0], "folder"> & {
  readonly allowPickle?: readonly string[] | undefined;
};

async function inFolder(root: string, session: Surroundings): Promise<Request> {
  const { model, kind, code, allowPickle, ignore = [] } = await readProjectFile(root);
  const { files } = await walkTree(root, { ignore, signal: session.signal });
  return { files: files.map(modelFile), model, kind, code, allowPickle };
}

/** A model of several files is described by any of them; the others stand beside it. */
async function beside(location: string): Promise<Request> {
  const folder = dirname(location);
  const name = basename(location);
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  const files = await Promise.all(
    [name, ...names.filter((one) => one !== name)]
      .slice(0, MAX_BESIDE)
      .map(async (path): Promise<ModelFile> => ({
        path,
        location: join(folder, path),
        size: (await stat(join(folder, path))).size,
      })),
  );
  return { files, model: name };
}
