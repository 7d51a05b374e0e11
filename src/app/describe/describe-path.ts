import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import { walkTree } from "../../images/pack/index.ts";
import {
  detectModel,
  kindRow,
  type DetectedModel,
  type ModelFile,
} from "../../models/kinds/index.ts";
import type { Context } from "../context.ts";
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
}

const MAX_BESIDE = 20_000;

/**
 * Describes what lies at a path: a folder with all that is below it, or a file with those beside it.
 * @throws ToolError `MODEL_NOT_DETECTED`, `MODEL_FILE_INVALID`, `PROJECT_NOT_FOUND`.
 */
export async function describePath(path: string, context: Context): Promise<DescribedModel> {
  const location = resolve(context.cwd, path);
  const stats = await stat(location).catch(() => undefined);
  if (stats === undefined)
    throw new ToolError("PROJECT_NOT_FOUND", `read "${path}": there is no such file or folder`);
  const request = stats.isDirectory() ? await inFolder(location, context) : await beside(location);
  const detected = await detectModel({ folder: path, ...request }, { signal: context.signal });
  const sizes = new Map(request.files.map((file) => [file.path, file.size]));
  const bytes = detected.files.reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
  const { requirements = kindRow(detected.chosen.kind).requirements } = detected;
  return { path, detected, bytes, requirements };
}

type Request = Omit<Parameters<typeof detectModel>[0], "folder">;

async function inFolder(root: string, context: Context): Promise<Request> {
  const { model, kind, code, ignore = [] } = await readProjectFile(root);
  const { files } = await walkTree(root, { ignore, signal: context.signal });
  return { files: files.map(modelFile), model, kind, code };
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

/** The description as data. */
export function describedData({
  path,
  detected,
  bytes,
  requirements,
}: DescribedModel): Readonly<Record<string, unknown>> {
  const { chosen, signature, obstacle } = detected;
  return {
    path,
    kind: chosen.kind,
    label: chosen.label,
    modelPath: chosen.modelPath,
    code: chosen.code,
    runtime: kindRow(chosen.kind).runtime,
    inputs: detected.inputs ?? signature?.inputs,
    outputs: detected.outputs ?? signature?.outputs,
    signature,
    details: detected.details,
    labels: detected.labels,
    files: detected.files,
    bytes,
    requirements,
    warnings: detected.warnings,
    isServed: obstacle === undefined,
    obstacle,
  };
}
