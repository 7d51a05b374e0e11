import { stat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import {
  checkClass,
  checkModel,
  CONF_NAME,
  parseUaiJob,
  printConf,
  readConf,
  releaseProblem,
  type UaiFramework,
  type UaiJob,
  type UaiValues,
} from "../../jobs/uai/index.ts";
import type { Context } from "../context.ts";
import type { PackSettings } from "./catalogue.ts";
import { baseProblems } from "./packdocker-base.ts";
import type { PackdockerFlags } from "./packdocker-flags.ts";

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

interface Written {
  readonly values: UaiValues;
  readonly flags: PackdockerFlags;
  readonly settings: PackSettings;
}

/**
 * Looks at the flags and into the folder; runs nothing.
 * @throws ToolError `USAGE` when a flag is missing or not possible, `PROJECT_INVALID` for what is wrong in the folder alone; both name every problem.
 */
export async function checkJob(
  framework: UaiFramework,
  { values, flags, settings }: Written,
  context: Context,
): Promise<CheckedJob> {
  const { job, problems: inFlags } = parseUaiJob(framework, values, settings.registries);
  const release = releaseProblem(job, settings.catalogue, {
    hasBase: job.baseImage !== undefined || flags.baseFrom === "vendor",
  });
  const ofFlags = [
    ...inFlags,
    ...(release === undefined ? [] : [release]),
    ...baseProblems(job, { values, flags, context }),
  ];
  const folder = resolve(context.cwd, job.folder);
  const isFolder =
    job.folder !== "" && (await stat(folder).catch(() => undefined))?.isDirectory() === true;
  const found =
    framework === "self"
      ? await checkSelf(job, folder, context)
      : await checkNamed(job, folder, framework);
  const noFolder = job.folder === "" ? [] : [`--pack_file_path: "${job.folder}" is not a folder`];
  const problems = [
    ...ofFlags,
    ...(isFolder ? found.problems : noFolder),
    ...(await testProblems(flags, context)),
  ];
  if (problems.length === 0) return { job, folder, ...found };
  const count = problems.length === 1 ? "" : `${problems.length} problems\n  `;
  throw new ToolError(
    ofFlags.length > 0 ? "USAGE" : "PROJECT_INVALID",
    `packdocker ${framework}: ${count}${problems.join("\n  ")}`,
    { hint: `nothing was made; run \`slipway packdocker ${framework} --help\`` },
  );
}

async function testProblems(
  { test = [] }: PackdockerFlags,
  { cwd }: Context,
): Promise<readonly string[]> {
  const files = await Promise.all(
    test.map(async (file) => ({
      file,
      isFile: (await stat(resolve(cwd, file)).catch(() => undefined))?.isFile() === true,
    })),
  );
  return files.flatMap(({ file, isFile }) => (isFile ? [] : [`--test: "${file}" is not a file`]));
}

type Found = Omit<CheckedJob, "job" | "folder"> & { readonly problems: readonly string[] };

async function checkNamed(
  { model }: UaiJob,
  folder: string,
  framework: Exclude<UaiFramework, "self">,
): Promise<Found> {
  if (model === undefined) throw new Error("a job of a framework has a model");
  const { mainFile, modelFiles, problems } = await checkModel(folder, framework, model);
  return {
    mainFile,
    mainClass: model.mainClass,
    modelFiles,
    problems,
    confName: CONF_NAME,
    conf: Buffer.from(printConf(framework, model)),
  };
}

/** The file of the user's own, beside the command as the old tool had it, else in the folder. */
async function checkSelf(
  { confFile = "" }: UaiJob,
  folder: string,
  { cwd }: Context,
): Promise<Found> {
  const nothing: Found = {
    mainFile: "",
    mainClass: "",
    modelFiles: [],
    conf: new Uint8Array(),
    confName: confFile.split("/").at(-1) ?? "",
    problems: [],
  };
  if (confFile === "") return nothing;
  const beside = await readConf(resolve(cwd, confFile));
  const conf =
    beside.problem === "there is no such file" && !isAbsolute(confFile)
      ? await readConf(join(folder, confFile))
      : beside;
  if (conf.entry === undefined)
    return { ...nothing, problems: [`--conf_file: "${confFile}": ${conf.problem ?? ""}`] };
  const { file, problems } = await checkClass(folder, conf.entry);
  return {
    ...nothing,
    mainFile: file,
    mainClass: conf.entry.mainClass,
    conf: conf.bytes,
    problems: problems.map((problem) => `--conf_file: ${problem.replace(/^--\w+: /, "")}`),
  };
}
