import { stat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { ToolError } from "../errors/index.ts";
import { checkClass, checkModel, CONF_NAME, parseUaiJob, printConf, readConf, releaseProblem, type UaiFramework, type UaiJob, type UaiValues } from "../uai/index.ts";
import type { Context } from "./context.ts";

/** A job whose folder was looked into. */
export interface CheckedJob {
  readonly job: UaiJob;
  readonly folder: string;
  readonly mainFile: string;
  readonly mainClass: string;
  readonly modelFiles: readonly string[];
  readonly conf: Uint8Array;
  readonly confName: string;
}

/**
 * Looks at the flags and into the folder; runs nothing.
 * @throws ToolError `USAGE` when a flag is missing or not possible, `PROJECT_INVALID` for what is wrong in the folder alone; both name every problem.
 */
export async function checkJob(framework: UaiFramework, values: UaiValues, context: Context): Promise<CheckedJob> {
  const { job, problems: ofFlags } = parseUaiJob(framework, values);
  const folder = resolve(context.cwd, job.folder);
  const isFolder = job.folder !== "" && (await stat(folder).catch(() => undefined))?.isDirectory() === true;
  const problems = [...ofFlags];
  const release = releaseProblem(framework, job.release, { hasBase: job.baseImage !== undefined });
  if (release !== undefined) problems.push(release);
  const inFlags = problems.length;
  if (job.folder !== "" && !isFolder) problems.push(`--pack_file_path: "${job.folder}" is not a folder`);
  const found = framework === "self" ? await checkSelf(job, folder, context) : await checkNamed(job, folder, framework);
  if (isFolder) problems.push(...found.problems);
  if (problems.length === 0) return { job, folder, ...found };
  const count = problems.length === 1 ? "" : `${problems.length} problems\n  `;
  throw new ToolError(inFlags > 0 ? "USAGE" : "PROJECT_INVALID", `packdocker ${framework}: ${count}${problems.join("\n  ")}`, { hint: `nothing was made; run \`slipway packdocker ${framework} --help\`` });
}

type Found = Omit<CheckedJob, "job" | "folder"> & { readonly problems: readonly string[] };

async function checkNamed({ model }: UaiJob, folder: string, framework: Exclude<UaiFramework, "self">): Promise<Found> {
  if (model === undefined) throw new Error("a job of a framework has a model");
  const { mainFile, modelFiles, problems } = await checkModel(folder, framework, model);
  return { mainFile, mainClass: model.mainClass, modelFiles, problems, confName: CONF_NAME, conf: Buffer.from(printConf(framework, model)) };
}

/** The file of the user's own, beside the command as the old tool had it, else in the folder. */
async function checkSelf({ confFile = "" }: UaiJob, folder: string, { cwd }: Context): Promise<Found> {
  const nothing: Found = { mainFile: "", mainClass: "", modelFiles: [], conf: new Uint8Array(), confName: confFile.split("/").at(-1) ?? "", problems: [] };
  if (confFile === "") return nothing;
  const beside = await readConf(resolve(cwd, confFile));
  const conf = beside.problem === "there is no such file" && !isAbsolute(confFile) ? await readConf(join(folder, confFile)) : beside;
  if (conf.entry === undefined) return { ...nothing, problems: [`--conf_file: "${confFile}": ${conf.problem ?? ""}`] };
  const { file, problems } = await checkClass(folder, conf.entry);
  return { ...nothing, mainFile: file, mainClass: conf.entry.mainClass, conf: conf.bytes, problems: problems.map((problem) => `--conf_file: ${problem.replace(/^--\w+: /, "")}`) };
}
