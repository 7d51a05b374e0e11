import { stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import { noFile, writeFileAtomic } from "../../ground/process/index.ts";
import { printProjectFile, PROJECT_FILE_NAME } from "../../models/description/index.ts";
import type { Surroundings } from "../session.ts";
import { loadProject } from "./project.ts";

/** A project file to write. */
export interface InitRequest {
  readonly folder: string;
  /** Replaces one that is there. Default false. */
  readonly isForced?: boolean | undefined;
  /** Base image to write down. */
  readonly base?: string | undefined;
}

/**
 * Looks at a folder and writes `slipway.yaml` with what it finds, so that it can be read and changed.
 * @throws ToolError `USAGE` when it is there already, `PROJECT_NOT_FOUND`, `MODEL_NOT_DETECTED`.
 */
export async function initProject(
  request: InitRequest,
  session: Surroundings,
): Promise<{ readonly path: string; readonly text: string }> {
  const { project } = await loadProject(request.folder, {}, { session });
  const path = join(project.root, PROJECT_FILE_NAME);
  if (request.isForced !== true && (await stat(path).catch(noFile)) !== undefined) {
    throw new ToolError("USAGE", `init: "${path}" is there already`, {
      hint: "pass --force to replace it",
    });
  }
  const text = await printProjectFile({
    name: project.name,
    ...(project.modelPath === undefined
      ? {}
      : { model: relative(project.root, project.modelPath) || "." }),
    ...(project.code === undefined ? {} : { code: `${project.code.file}:${project.code.name}` }),
    service: project.service,
    contract: project.contract,
    ...(project.requirements.length === 0
      ? {}
      : { python: { requirements: project.requirements } }),
    ...(request.base === undefined ? {} : { base: request.base }),
  });
  await writeFileAtomic(path, text);
  return { path, text };
}
