import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import type { ServedGraph, ServedImage } from "../../jobs/kubernetes/index.ts";
import { nodesOf, parseProjectFile, PROJECT_FILE_NAME } from "../../models/description/index.ts";
import { isModelPath } from "../places/model-path.ts";
import type { Places } from "../session.ts";

/** What a project's file says to a cluster. */
export interface ServedProject {
  readonly name: string;
  /** As it was pushed: `image:`, or that of the graph's first node which has one. */
  readonly image: string;
  /** Seconds that a call of its model may take; absent where the file says nothing. */
  readonly requestS: number | undefined;
  /** The graph with its images; `undefined` where there is none. */
  readonly graph: (
    find: (image: string) => Promise<ServedImage>,
  ) => Promise<ServedGraph | undefined>;
}

/**
 * Reads the project file of a folder. @returns `undefined` for the name of an image.
 * @throws ToolError `PROJECT_NOT_FOUND`, `PROJECT_INVALID`, `USAGE` where the file names no image.
 */
export async function readServedProject(
  target: string,
  session: Places,
): Promise<ServedProject | undefined> {
  if (!(await isModelPath(target, session))) return undefined;
  const folder = resolve(session.cwd, target);
  const file = join(folder, PROJECT_FILE_NAME);
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new ToolError("PROJECT_NOT_FOUND", `read "${file}": there is no such file`, {
      cause: error,
      hint: "write it with `slipway init`, or name the pushed image in place of the folder",
    });
  });
  const project = await parseProjectFile(text, file);
  const nodes = project.graph === undefined ? [] : nodesOf(project.graph.root);
  const image = project.image ?? nodes.find((node) => node.image !== undefined)?.image;
  if (image === undefined)
    throw new ToolError(
      "USAGE",
      `serve "${target}" on a cluster: ${PROJECT_FILE_NAME} names no image`,
      {
        hint: "say image: HOST/REPOSITORY:TAG in it, and run `slipway pack --push`",
      },
    );
  const { timeoutMs } = project.server ?? {};
  return {
    name: project.name ?? basename(folder),
    image,
    requestS: timeoutMs === undefined ? undefined : Math.ceil(timeoutMs / 1000),
    graph: async (find) => {
      if (project.graph === undefined) return undefined;
      const images = new Map<string, ServedImage>();
      for (const node of nodes)
        if (node.image !== undefined) images.set(node.name, await find(node.image));
      return { root: project.graph.root, images };
    },
  };
}
