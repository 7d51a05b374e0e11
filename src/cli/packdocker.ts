import { stat, writeFile } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { createDeflatePool } from "../compress/index.ts";
import { parseLocation } from "../copy/index.ts";
import { ToolError } from "../errors/index.ts";
import { writeFileAtomic } from "../internal/index.ts";
import { parsePlatform } from "../oci/index.ts";
import { packImages, type PackProject } from "../pack/index.ts";
import {
  checkClass, checkModel, CONF_NAME, parseUaiJob, printConf, readConf, releaseProblem, SERVER_ROOT, uaiFlagsOf, uaiRecipeOf, type UaiFramework, type UaiJob,
} from "../uai/index.ts";
import { openBase } from "./base-image.ts";
import type { Context } from "./context.ts";
import { deliver } from "./deliver.ts";
import { withoutWriting } from "./dry-run.ts";
import { move } from "./move.ts";
import { epochOf } from "./options.ts";
import { packContextOf, parseOutput } from "./pack-project.ts";
import { dockerfileOf } from "./packdocker-dockerfile.ts";
import { openStore } from "./places.ts";
import { readSecret } from "./prompt.ts";
import { formatBytes, formatTable } from "./render/format.ts";

/** What `packdocker` takes beside the old tool's flags. */
export interface PackdockerFlags {
  readonly passwordStdin?: boolean;
  readonly push?: boolean;
  readonly plan?: boolean;
  readonly dryRun?: boolean;
  readonly output?: readonly string[];
  readonly emitDockerfile?: string;
  readonly writeConf?: boolean;
  readonly platform?: string;
  readonly maxBatch?: number;
  readonly maxWaitMs?: number;
  readonly tf1Compat?: boolean;
  readonly allowSecret?: readonly string[];
  readonly indexUrl?: string;
  readonly findLinks?: readonly string[];
  readonly [name: string]: unknown;
}

/** A job whose folder was looked into. */
interface Checked {
  readonly job: UaiJob;
  readonly folder: string;
  readonly mainFile: string;
  readonly mainClass: string;
  readonly modelFiles: readonly string[];
  readonly conf: Uint8Array;
  readonly confName: string;
}

const PORT = 8080;
const MAX_BATCH = 32;
const HAS_SECRETS = ["uhub_password", "private_key"];

/** Checks everything, makes the image and pushes it, as the old tool's command of this name did. */
export async function packdocker(framework: UaiFramework, flags: PackdockerFlags, context: Context): Promise<void> {
  const values = valuesOf(framework, flags);
  const outputs = (flags.output ?? []).map(parseOutput);
  const checked = await check(framework, values, context);
  warnOfSecrets(values, context);
  const { baseImage, release } = checked.job;
  const source = baseImage === undefined ? uaiRecipeOf(framework, release) : { base: baseImage, requirements: [] };
  const project = await projectOf(checked, { flags, lines: source.requirements, context });
  if (flags.plan === true || flags.dryRun === true) return make({ checked, project, base: source.base, flags, outputs, context, credentials: undefined });
  await writeConf(checked, flags);
  await make({ checked, project, base: source.base, flags, outputs, context, credentials: await credentialsFor(checked.job, { values, flags, context }) });
}

function warnOfSecrets(values: Readonly<Record<string, string | undefined>>, { reporter }: Context): void {
  const given = HAS_SECRETS.filter((name) => values[name] !== undefined);
  if (given.length > 0) reporter.warn(`${given.map((name) => `--${name}`).join(" and ")} on the command line show in the process list and the shell's history; use \`slipway login\` or --password-stdin, and leave keys out: they are not needed`);
}

interface Making {
  readonly checked: Checked;
  readonly project: PackProject;
  readonly base: string;
  readonly flags: PackdockerFlags;
  readonly outputs: readonly string[];
  readonly context: Context;
  /** Absent when nothing is to be made. */
  readonly credentials: Context | undefined;
}

async function make({ checked: { job, confName }, project, base: baseName, flags, outputs, context, credentials }: Making): Promise<void> {
  await using store = await openStore(context);
  await using pool = createDeflatePool();
  const real = packContextOf(store, pool, context);
  const packContext = credentials === undefined ? withoutWriting(real) : real;
  await using opened = await openBase(baseName, packContext.cache("base"), context);
  const base = await opened.imageFor(parsePlatform(flags.platform ?? "linux/amd64"));
  const packed = (await packImages(project, [base], packContext)).map((image) => ({ image, base }));
  if (credentials === undefined) return reportPlan(job, packed.flatMap(({ image }) => image.layers), context);
  const [first] = packed;
  if (flags.emitDockerfile !== undefined && first !== undefined) {
    await writeFileAtomic(resolve(context.cwd, flags.emitDockerfile), await dockerfileOf({ name: job.image, project, packed: first, base: baseName, confName }));
  }
  const isPush = flags.push !== false;
  const { descriptor } = await deliver({ packed, names: [job.image], isPush, store, context: credentials });
  for (const output of outputs) await move({ from: job.image, to: output, isFromStore: true }, context);
  if (isPush) context.reporter.line(`upload docker images successful. images:${job.image}`);
  context.reporter.line(`${job.image} ${descriptor.digest}${isPush ? "" : " (in the local store)"}`);
  context.reporter.result({ image: job.image, digest: descriptor.digest, isPushed: isPush, framework: job.framework });
}

/** The flags' values, whichever way each was written. */
function valuesOf(framework: UaiFramework, flags: PackdockerFlags): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    uaiFlagsOf(framework).map(({ name }) => {
      const value = flags[name] ?? flags[name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())];
      return [name, typeof value === "string" ? value : undefined];
    }),
  );
}

/** @throws ToolError `USAGE` when a flag is missing or not possible, `PROJECT_INVALID` for what is wrong in the folder alone; both name every problem. */
async function check(framework: UaiFramework, values: Readonly<Record<string, string | undefined>>, context: Context): Promise<Checked> {
  const { job, problems: ofFlags } = parseUaiJob(framework, values);
  const folder = resolve(context.cwd, job.folder);
  const isFolder = job.folder !== "" && (await stat(folder).catch(() => undefined))?.isDirectory() === true;
  const problems = [...ofFlags];
  const release = job.baseImage === undefined ? releaseProblem(framework, job.release) : undefined;
  if (release !== undefined) problems.push(release);
  const inFlags = problems.length;
  if (job.folder !== "" && !isFolder) problems.push(`--pack_file_path: "${job.folder}" is not a folder`);
  const found = framework === "self" ? await checkSelf(job, folder, context) : await checkNamed(job, folder, framework);
  if (isFolder) problems.push(...found.problems);
  if (problems.length === 0) return { job, folder, ...found };
  const count = problems.length === 1 ? "" : `${problems.length} problems\n  `;
  throw new ToolError(inFlags > 0 ? "USAGE" : "PROJECT_INVALID", `packdocker ${framework}: ${count}${problems.join("\n  ")}`, { hint: `nothing was made; run \`slipway packdocker ${framework} --help\`` });
}

type Found = Omit<Checked, "job" | "folder"> & { readonly problems: readonly string[] };

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

async function projectOf(checked: Checked, about: { readonly flags: PackdockerFlags; readonly lines: readonly string[]; readonly context: Context }): Promise<PackProject> {
  const { job, folder, conf, confName } = checked;
  const { flags, lines, context } = about;
  const hasRequirements = (await stat(join(folder, "requirements.txt")).catch(() => undefined))?.isFile() === true;
  return {
    root: folder,
    name: job.image.replace(/:[^:/]*$/, "").split("/").at(-1) ?? "uai",
    kind: "class",
    modelFiles: checked.modelFiles,
    code: { file: checked.mainFile, name: checked.mainClass, language: "python" },
    contract: "uai",
    service: "MODEL",
    ports: { http: PORT },
    server: { maxBatch: flags.maxBatch ?? MAX_BATCH, ...(flags.maxWaitMs === undefined ? {} : { maxWaitMs: flags.maxWaitMs }) },
    env: environmentOf(job, { confName, isTf1: flags.tf1Compat === true }),
    requirements: hasRequirements ? ["requirements.txt"] : [],
    requirementLines: lines,
    indexes: { indexUrl: flags.indexUrl, findLinks: (flags.findLinks ?? []).map((place) => (/^[a-z+]+:\/\//.test(place) ? place : resolve(context.cwd, place))) },
    ignore: [],
    allowSecrets: flags.allowSecret ?? [],
    labels: { "dev.slipway.framework": job.release ?? job.framework },
    annotations: {},
    added: [{ path: `${SERVER_ROOT.slice(1)}/${confName}`, bytes: conf }],
    epochS: epochOf(context.env["SOURCE_DATE_EPOCH"]),
  };
}

function environmentOf({ framework }: UaiJob, { confName, isTf1 }: { readonly confName: string; readonly isTf1: boolean }): Readonly<Record<string, string>> {
  return {
    UAI_SERVICE_CONFIG: `${SERVER_ROOT}/${confName}`,
    ...(framework === "caffe" && { PYTHONPATH: "/root/caffe/python" }),
    ...(isTf1 && { SLIPWAY_TF1_COMPAT: "1" }),
  };
}

/** For those who want the file in their own folder, as the old tool left it there. */
async function writeConf({ job, folder, conf, confName }: Checked, flags: PackdockerFlags): Promise<void> {
  if (flags.writeConf === true && job.framework !== "self") await writeFile(join(folder, confName), conf);
}

/** The context for the push: credentials of the flags come before all others there, and nowhere else. */
async function credentialsFor(job: UaiJob, { values, flags, context }: { readonly values: Readonly<Record<string, string | undefined>>; readonly flags: PackdockerFlags; readonly context: Context }): Promise<Context> {
  const username = values["uhub_username"];
  const password = flags.passwordStdin === true ? await readSecret(context) : values["uhub_password"];
  if (username === undefined || password === undefined) return context;
  const location = parseLocation(job.image);
  if (location.kind !== "registry") throw new ToolError("USAGE", `name the image "${job.image}": it is not in a registry`);
  return { ...context, env: { ...context.env, SLIPWAY_REGISTRY: location.reference.registry, SLIPWAY_REGISTRY_USER: username, SLIPWAY_REGISTRY_PASSWORD: password } };
}

function reportPlan({ image }: UaiJob, layers: readonly { readonly label: string; readonly state: string; readonly size: number }[], { reporter }: Context): void {
  reporter.line(`would make ${image}`);
  for (const line of formatTable(layers.map(({ label, state, size }) => [label, state, formatBytes(size)]))) reporter.line(`  ${line}`);
  reporter.result({ image, isDryRun: true, layers: layers.map(({ label, state, size }) => ({ label, state, size })) });
}
