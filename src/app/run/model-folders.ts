import { stat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { isToolError, ProjectError } from "../../ground/errors/index.ts";
import { mapLimited, noFile } from "../../ground/process/index.ts";
import type { ModelDescription } from "../../models/description/index.ts";
import {
  readModelFolders,
  type ModelFolders,
  type RepositoryModel,
} from "../../models/repository/index.ts";
import { defaultPortsOf } from "../../serving/protocols/index.ts";
import type { ModelSource, ModelSources } from "../../serving/server/index.ts";
import { loadProject, type ProjectRequest } from "../pack/project.ts";
import type { Surroundings } from "../session.ts";
import { describeProject, type DescribeOptions } from "./describe-project.ts";

/** Folders that are looked at together. */
const LOOKS_AT_ONCE = 16;
/** More models than these are loaded when they are first called. */
const MAX_EAGER_MODELS = 32;
const CONTRACT = "kserve";

/** Where models are, and how they are to be read. */
export interface ModelFolderRequest {
  /** Absolute. */
  readonly folder: string;
  readonly project: ProjectRequest;
  readonly options: DescribeOptions;
  /** True when models load with their first call. Default: when there are more than `MAX_EAGER_MODELS`. */
  readonly isLazy?: boolean | undefined;
  /** Puts what the server's own flags and environment say over what a folder says. */
  readonly finish: (description: ModelDescription) => ModelDescription;
}

/**
 * The models of a folder as a server takes them, each with the ports of Open Inference. A model whose files are wrong is there too, and its
 * load says why.
 * @returns undefined where the folder is none of models
 */
export async function openModelFolders(
  request: ModelFolderRequest,
  session: Surroundings,
): Promise<ModelSources | undefined> {
  const { models, refused } = await readModelFolders(request.folder);
  if (models.length + refused.length === 0) return undefined;
  const count = models.reduce((sum, { versions }) => sum + versions.length, 0);
  const isLazy = request.isLazy ?? count > MAX_EAGER_MODELS;
  const sources = await mapLimited(models, LOOKS_AT_ONCE, (model) =>
    sourcesOf(model, { ...request, isLazy }, session),
  );
  return {
    models: [...sources.flat(), ...refused.map((one) => refusedSource(one, isLazy))],
    rules: new Map(
      models
        .filter(({ labels, weights }) => labels !== undefined || weights !== undefined)
        .map(({ name, labels, weights }) => [
          name,
          { ...(labels !== undefined && { labels }), ...(weights !== undefined && { weights }) },
        ]),
    ),
  };
}

/** The first model that can be described, which requests without a name mean. @throws ProjectError `MODEL_NOT_DETECTED` when none can be */
export async function firstOf(
  { models }: ModelSources,
  folder: string,
): Promise<{ readonly source: ModelSource; readonly description: ModelDescription }> {
  let why: unknown;
  for (const source of models) {
    try {
      return { source, description: await source.describe() };
    } catch (error) {
      if (!isToolError(error)) throw error;
      why ??= error;
    }
  }
  throw new ProjectError(
    "MODEL_NOT_DETECTED",
    `read the models in "${folder}": none of its ${models.length} can be read: ${why instanceof Error ? why.message : ""}`,
    { file: folder, cause: why },
  );
}

async function sourcesOf(
  model: RepositoryModel,
  request: ModelFolderRequest & { readonly isLazy: boolean },
  session: Surroundings,
): Promise<readonly ModelSource[]> {
  const { name, ignored, versions, ...said } = model;
  if (ignored.length > 0)
    session.emit({
      kind: "warning",
      text: `the model "${name}": its configuration says ${ignored.join(" and ")}, which has no effect here`,
    });
  return Promise.all(
    versions.map(async ({ version, folder }) => ({
      ...{ name, version, isLazy: request.isLazy },
      mark: JSON.stringify([said, await folderMark(folder)]),
      describe: () => describeVersion(model, folder, request, session),
    })),
  );
}

async function describeVersion(
  { name, server, code, model, kind }: RepositoryModel,
  folder: string,
  { project: said, options, finish }: ModelFolderRequest,
  session: Surroundings,
): Promise<ModelDescription> {
  const { project } = await loadProject(
    folder,
    { ...said, code, model: model === "." ? undefined : model, kind },
    { session },
  );
  const described = await describeProject(project, options, session);
  return finish({
    ...described,
    ...{ name, contract: CONTRACT, ports: defaultPortsOf(CONTRACT) },
    server: { ...server, ...described.server },
  });
}

/** A model that cannot be read stands in the index, with the reason. */
function refusedSource(
  { name, why }: ModelFolders["refused"][number],
  isLazy: boolean,
): ModelSource {
  return {
    ...{ name, version: "1", isLazy, mark: why },
    describe: async () => {
      throw new ProjectError("PROJECT_INVALID", why);
    },
  };
}

/** Differs when a file of the folder, or of those right below it, is new, gone or changed. */
async function folderMark(folder: string): Promise<string> {
  const names = (await readdir(folder).catch(noFile)) ?? [];
  const marks = await Promise.all(
    names
      .filter((name) => name !== "__pycache__")
      .sort()
      .map(async (name) => {
        const about = await stat(join(folder, name)).catch(noFile);
        return about === undefined ? "" : `${name} ${about.mtimeMs} ${about.size} ${about.ino}`;
      }),
  );
  return marks.join("\n");
}
