import { stat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { noFile } from "../../ground/process/index.ts";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import { detectModel } from "../../models/kinds/index.ts";
import {
  checkClass,
  checkModel,
  CONF_NAME,
  parseUaiJob,
  printConf,
  readConf,
  releaseProblem,
  uaiFlagsOf,
  type FlagProblem,
  type NamedJob,
  type ReadConf,
  type SelfJob,
  type UaiJob,
} from "../../jobs/uai/index.ts";
import { walkTree } from "../../images/pack/index.ts";
import { readPythonSources, sourceFile } from "../python/python-sources.ts";
import { CONVERT_HINT, reviewPython, type PythonReview } from "../python/review-python.ts";
import type { Session, Standpoint } from "../session.ts";
import { accountProblems } from "./account.ts";
import type { PackSettings } from "./catalogue.ts";
import { baseProblems } from "./packdocker-base.ts";
import type { PackdockerRequest } from "./packdocker-request.ts";

/** A job whose folder was looked into. */
export interface CheckedJob {
  readonly job: UaiJob;
  readonly folder: string;
  readonly mainFile: string;
  readonly mainClass: string;
  readonly modelFiles: readonly string[];
  readonly conf: Uint8Array;
  readonly confName: string;
  /** What Python 3 says to the code. It counts where the base runs Python 3. */
  readonly review: PythonReview;
}

/**
 * Looks at the flags and into the folder; runs nothing.
 * @throws ToolError `USAGE` when a flag is missing or not possible, `PROJECT_INVALID` for what is wrong in the folder alone; both name every problem.
 */
export async function checkJob(
  request: PackdockerRequest,
  settings: PackSettings,
  session: Session,
): Promise<CheckedJob> {
  const { framework, values } = request;
  const { job, problems: inFlags } = parseUaiJob(framework, values, settings.registries);
  const ofFlags = [...inFlags, ...flagProblems(job, { request, settings, session })];
  const folder = resolve(session.cwd, job.folder);
  const isFolder = job.folder !== "" && (await stat(folder).catch(noFile))?.isDirectory() === true;
  const { problems: inFolder, ...found } = await lookInto(job, folder, session);
  const noFolder = job.folder === "" ? [] : [`--pack_file_path: "${job.folder}" is not a folder`];
  const others = [
    ...ofFlags,
    ...(isFolder ? inFolder.map(problemLine) : noFolder),
    ...(await testProblems(request, session)),
  ];
  const review = isFolder ? await reviewOf(folder, found.mainFile, session) : NO_REVIEW;
  const problems = [...others, ...(isOnPythonThree(job, request) ? review.problems : [])];
  if (problems.length === 0) return { job, folder, ...found, review };
  const count = problems.length === 1 ? "" : `${problems.length} problems\n  `;
  throw new ToolError(
    ofFlags.length > 0 ? "USAGE" : "PROJECT_INVALID",
    `packdocker ${framework}: ${count}${problems.join("\n  ")}`,
    {
      hint: `nothing was made; ${problems.length > others.length ? CONVERT_HINT : hintFor(request)}`,
    },
  );
}

/** What is wrong with flags beside their own values. */
function flagProblems(
  job: UaiJob,
  about: {
    readonly request: PackdockerRequest;
    readonly settings: PackSettings;
    readonly session: Session;
  },
): readonly string[] {
  const { request, settings } = about;
  const release = releaseProblem(job, settings.catalogue, {
    hasBase: job.baseImage !== undefined || request.baseFrom === "vendor",
  });
  return [
    ...accountProblems(request.values, request.password).map(problemLine),
    ...(release === undefined ? [] : [release]),
    ...baseProblems(job, about),
  ];
}

const NO_REVIEW: PythonReview = { problems: [], remarks: [] };

async function reviewOf(
  folder: string,
  mainFile: string,
  { signal }: Standpoint,
): Promise<PythonReview> {
  const { files } = await walkTree(folder, { ignore: [], signal });
  return reviewPython(mainFile, await readPythonSources(files.map(sourceFile)));
}

/** The known bases do; of an image of the user's own that shows when it is opened. */
export function isOnPythonThree(job: UaiJob, { baseFrom }: PackdockerRequest): boolean {
  return job.baseImage === undefined && baseFrom !== "vendor";
}

function problemLine({ flag, why }: FlagProblem): string {
  return `--${flag}: ${why}`;
}

/** So many at once are rarely forgotten one by one. */
const MANY_MISSING = 3;

/** A blank line or a space after a backslash ends the command there, and the shell takes the rest for others. */
function hintFor({ framework, values }: PackdockerRequest): string {
  const missing = uaiFlagsOf(framework).filter(
    ({ name, isRequired }) => isRequired && (values[name] ?? "").trim() === "",
  );
  const help = `run \`slipway packdocker ${framework} --help\``;
  return missing.length < MANY_MISSING
    ? help
    : `did a line break swallow the flags? A backslash must be the last character of its line, with no blank line after it; else ${help}`;
}

async function testProblems(
  { test }: PackdockerRequest,
  { cwd }: Standpoint,
): Promise<readonly string[]> {
  const files = await Promise.all(
    (test?.files ?? []).map(async (file) => ({
      file,
      isFile: (await stat(resolve(cwd, file)).catch(noFile))?.isFile() === true,
    })),
  );
  return files.flatMap(({ file, isFile }) => (isFile ? [] : [`--test: "${file}" is not a file`]));
}

type CheckedFiles = Omit<CheckedJob, "job" | "folder" | "review"> & {
  readonly problems: readonly FlagProblem[];
};

function lookInto(job: UaiJob, folder: string, session: Standpoint): Promise<CheckedFiles> {
  return job.framework === "self" ? checkSelf(job, folder, session) : checkNamed(job, folder);
}

async function checkNamed({ framework, model }: NamedJob, folder: string): Promise<CheckedFiles> {
  const { mainFile, modelFiles, problems } = await checkModel(folder, framework, model);
  const inModel = framework === "keras" ? await weightsAlone(folder, model, modelFiles) : [];
  return {
    mainFile,
    mainClass: model.mainClass,
    modelFiles,
    problems: [...problems, ...inModel],
    confName: CONF_NAME,
    conf: Buffer.from(printConf(framework, model)),
  };
}

/** One file that shall be the whole model, and has weights only. What cannot be read is left to the framework. */
async function weightsAlone(
  folder: string,
  { isOneFile }: NamedJob["model"],
  modelFiles: readonly string[],
): Promise<readonly FlagProblem[]> {
  const [path] = modelFiles;
  if (!isOneFile || path === undefined) return [];
  const location = join(folder, path);
  const { size } = await stat(location);
  const files = [{ path, location, size, identity: "" }];
  const detected = await detectModel({ folder, files, model: path }).catch((error: unknown) => {
    if (isToolError(error)) return undefined;
    throw error;
  });
  return detected?.details["architectureInside"] === false
    ? [
        {
          flag: "all_one_file",
          why: `"${path}" has weights only; pass false, with the model's .json beside it`,
        },
      ]
    : [];
}

/** The file of the user's own, beside the command as the old tool had it, else in the folder. */
async function checkSelf(
  { confFile }: SelfJob,
  folder: string,
  { cwd }: Standpoint,
): Promise<CheckedFiles> {
  const nothing: CheckedFiles = {
    mainFile: "",
    mainClass: "",
    modelFiles: [],
    conf: new Uint8Array(),
    confName: confFile.split("/").at(-1) ?? "",
    problems: [],
  };
  if (confFile === "") return nothing;
  const conf = await readConfBeside(confFile, folder, cwd);
  if (conf.kind !== "read") {
    const why = conf.kind === "missing" ? "there is no such file" : conf.why;
    return { ...nothing, problems: [{ flag: "conf_file", why: `"${confFile}": ${why}` }] };
  }
  const { file, problems: inClass } = await checkClass(folder, conf.entry);
  const problems = [...inClass, ...(await missingModelDirs(folder, conf.modelDirs))];
  return {
    ...nothing,
    mainFile: file,
    mainClass: conf.entry.mainClass,
    conf: conf.bytes,
    problems: problems.map(({ why }) => ({ flag: "conf_file", why })),
  };
}

/** Folders of models are in the folder that is packed; one with an absolute path may be the base's. */
async function missingModelDirs(
  folder: string,
  modelDirs: readonly string[],
): Promise<readonly FlagProblem[]> {
  const problems: FlagProblem[] = [];
  for (const path of modelDirs)
    if (!isAbsolute(path) && (await stat(join(folder, path)).catch(noFile)) === undefined)
      problems.push({ flag: "conf_file", why: `its model_dir "${path}" is not in the folder` });
  return problems;
}

async function readConfBeside(confFile: string, folder: string, cwd: string): Promise<ReadConf> {
  const beside = await readConf(resolve(cwd, confFile));
  return beside.kind === "missing" && !isAbsolute(confFile)
    ? readConf(join(folder, confFile))
    : beside;
}
