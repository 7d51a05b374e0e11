import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { noFile } from "../../ground/process/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { walkTree, type ProjectTree } from "../../images/pack/index.ts";
import {
  findDataFolders,
  HIDDEN_FOLDERS,
  mainModuleOf,
  OWN_FILES,
  placeBelow,
  type TrainJob,
} from "../../jobs/train/index.ts";
import { formatBytes } from "../format.ts";
import type { Standpoint } from "../session.ts";
import type { ImageRequest } from "./train-images.ts";
import type { TrainPackRequest } from "./train-request.ts";

/** The code's folder, absolute, where there is one. @throws ToolError `PROJECT_NOT_FOUND` naming every file that is not there. */
export async function checkCode(job: TrainJob, session: Standpoint): Promise<string | undefined> {
  if (job.codePath === undefined) return undefined;
  const root = resolve(session.cwd, job.codePath);
  const stats = await stat(root).catch(noFile);
  if (stats?.isDirectory() !== true)
    throw new ToolError(
      "PROJECT_NOT_FOUND",
      `pack for ${job.framework}: --code_path "${job.codePath}" is not a folder`,
    );
  const wanted = [
    ["mainfile_path", job.mainFile],
    ["solver", job.solver],
  ] as const;
  const missing: string[] = [];
  for (const [flag, path] of wanted) {
    if (path === undefined || path.startsWith("/")) continue;
    if (!(await isThere(root, path))) missing.push(`--${flag} "${path}"`);
  }
  if (missing.length > 0)
    throw new ToolError(
      "PROJECT_NOT_FOUND",
      `pack for ${job.framework}: ${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} not in "${job.codePath}"`,
    );
  if (job.framework === "caffe" && job.trainParams !== "")
    session.emit({
      kind: "warning",
      text: "caffe takes no --train_params; what the solver needs stands in its file",
    });
  return root;
}

/** A file; or a module, which is the image's own where the folder has nothing of its first name. */
async function isThere(root: string, path: string): Promise<boolean> {
  const module = mainModuleOf(path);
  if (module === undefined) return isFile(join(root, path));
  const stem = join(root, ...module.split("."));
  const top = join(root, module.split(".")[0] ?? "");
  const isOwn =
    (await isFile(`${top}.py`)) || (await stat(top).catch(noFile))?.isDirectory() === true;
  return !isOwn || (await isFile(`${stem}.py`)) || isFile(join(stem, "__main__.py"));
}

/** Files of requirements: those of the request, else the code's own. */
export async function requirementsOf(
  { requirements }: TrainPackRequest,
  codePath: string | undefined,
  { cwd }: Standpoint,
): Promise<readonly string[]> {
  if (requirements !== undefined) return requirements.map((file) => resolve(cwd, file));
  if (codePath === undefined) return [];
  return (await isFile(join(codePath, "requirements.txt"))) ? ["requirements.txt"] : [];
}

/** Where wheels come from. */
export function indexesOf(
  { indexUrl, extraIndexUrls = [], findLinks = [] }: TrainPackRequest,
  { cwd }: Standpoint,
): ImageRequest["code"]["indexes"] {
  return {
    indexUrl,
    extraIndexUrls,
    findLinks: findLinks.map((place) =>
      /^[a-z+]+:\/\//.test(place) ? place : resolve(cwd, place),
    ),
  };
}

/** Data has no place in an image: what the mounts hide stays out, and what looks like data is pointed out. */
export async function readCode(
  job: TrainJob,
  codePath: string,
  session: Standpoint,
): Promise<ProjectTree> {
  const named = [job.dataPath, job.outputPath].flatMap(
    (path) => placeBelow(codePath, path, session.cwd) ?? [],
  );
  for (const [flag, path] of [
    ["data", job.dataPath],
    ["output", job.outputPath],
  ] as const) {
    if (resolve(session.cwd, path) === codePath)
      session.emit({
        kind: "warning",
        text: `--test_${flag}_path is the code folder itself, so what lies in it goes into the images; keep ${flag === "data" ? "data" : "results"} in a folder apart`,
      });
  }
  const hidden: string[] = [];
  for (const folder of HIDDEN_FOLDERS)
    if (!named.includes(folder) && (await stat(join(codePath, folder)).catch(noFile)) !== undefined)
      hidden.push(folder);
  const out = [...new Set([...named, ...hidden])];
  for (const folder of out)
    session.emit({
      kind: "warning",
      text: `"${folder}" in the code folder stays out of the images: it is data, and the container has its own ${folder === "output" ? "output" : "data"} folder mounted`,
    });
  const ignore = [...out.map((folder) => `/${folder}`), ...OWN_FILES.map((name) => `**/${name}`)];
  const tree = await walkTree(codePath, { ignore, signal: session.signal });
  const { files } = tree;
  if (mainModuleOf(job.mainFile) === undefined && !files.some(({ path }) => path === job.mainFile))
    throw new ToolError(
      "PROJECT_NOT_FOUND",
      `pack for ${job.framework}: --mainfile_path "${job.mainFile}" would not be in the image`,
      { hint: "take it out of .slipwayignore, and out of the data and output folders" },
    );
  for (const { path, files: count, bytes } of findDataFolders(
    files.map((file) => ({ path: file.path, size: file.guard.size })),
  )) {
    session.emit({
      kind: "warning",
      text: `"${path}" in the code folder looks like data (${count} files, ${formatBytes(bytes)}) and would go into the images; list it in .slipwayignore and pass it with --test_data_path`,
    });
  }
  return tree;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(noFile))?.isFile() === true;
}
