import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import {
  mapBases,
  switchRegistryHost,
  type Catalogue,
  type CatalogueRow,
} from "../../jobs/catalogue/index.ts";
import { storeReference } from "../../images/copy/index.ts";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import { writeFileAtomic } from "../../ground/process/index.ts";
import { formatPlatform, parsePlatform, type Descriptor } from "../../images/oci/index.ts";
import { walkTree, type ProjectTree } from "../../images/pack/index.ts";
import {
  checkGpu,
  COMMAND_FILE_NAME,
  commandLines,
  findDataFolders,
  findRelease,
  HIDDEN_FOLDERS,
  imagesOf,
  isOpen,
  parseJob,
  placeBelow,
  PLAN_FILE_NAME,
  printPlan,
  trainSideOf,
  type Accelerator,
  type Framework,
  type HostPaths,
  type PackedName,
  type TrainJob,
} from "../../jobs/train/index.ts";
import { openPackSettings } from "../packdocker/catalogue.ts";
import type { Context } from "../context.ts";
import { warnOfSecrets, withAccount } from "../packdocker/old-account.ts";
import { epochOf } from "../options.ts";
import { openEngine, openForReading, openStore, registryReference } from "../places/places.ts";
import { formatBytes, formatDuration, formatTable } from "../format.ts";
import { trainValues, type TrainPackFlags } from "./train-values.ts";
import {
  createImageMaker,
  keepMade,
  lacksShell,
  pushMade,
  sourceOf,
  type ImageRequest,
  type MadeImage,
} from "./train-images.ts";

interface Work {
  readonly job: TrainJob;
  readonly flags: TrainPackFlags;
  readonly release: CatalogueRow | undefined;
  readonly paths: HostPaths;
  /** Absolute. */
  readonly codePath: string;
  readonly request: ImageRequest;
  readonly startedAt: number;
}

/** Makes the images of a training job, takes them where they belong, and writes the commands. */
export async function trainPack(
  framework: Framework,
  flags: TrainPackFlags,
  context: Context,
): Promise<void> {
  const startedAt = performance.now();
  const values = trainValues(framework, flags);
  const { catalogue, registries } = await openPackSettings(flags.catalogue, context);
  const job = parseJob(framework, values, { hasBase: flags.base !== undefined, registries });
  warnOfSecrets(values, context);
  const found = findRelease(job, catalogue, {
    hasBase: job.ownImage !== undefined || flags.base !== undefined,
  });
  const release =
    found === undefined
      ? undefined
      : mapBases(found, (base) => switchRegistryHost(base, trainSideOf(values), registries));
  if (
    release !== undefined &&
    isOpen(release) &&
    job.ownImage === undefined &&
    job.accelerator === "gpu"
  )
    for (const line of checkGpu(release, { card: flags.gpu, driver: flags.driver }))
      context.reporter.step(line);
  const codePath = await checkCode(job, context);
  const work: Work = {
    job,
    flags,
    release,
    startedAt,
    codePath,
    paths: { data: resolved(job.dataPath, context), output: resolved(job.outputPath, context) },
    request: await requestOf(job, { flags, codePath, release, catalogue, context }),
  };
  if (flags.dryRun === true) return await reportDryRun(work, context);
  const images = await makeImages(
    work,
    await withAccount(
      values,
      { isOnStdin: flags.passwordStdin === true, image: job.names.gpu },
      context,
    ),
  );
  await finish(work, images, context);
}

/** An absolute path stays as it was written; docker takes no others. */
function resolved(path: string, context: Context): string {
  return path.startsWith("/") ? path : resolve(context.cwd, path);
}

/** @throws ToolError `PROJECT_NOT_FOUND` naming every file that is not there. */
async function checkCode(job: TrainJob, context: Context): Promise<string> {
  const root = resolve(context.cwd, job.codePath);
  const stats = await stat(root).catch(() => undefined);
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
    const file = await stat(join(root, path)).catch(() => undefined);
    if (file?.isFile() !== true) missing.push(`--${flag} "${path}"`);
  }
  if (missing.length > 0)
    throw new ToolError(
      "PROJECT_NOT_FOUND",
      `pack for ${job.framework}: ${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} not in "${job.codePath}"`,
    );
  if (job.framework === "caffe" && job.trainParams !== "")
    context.reporter.warn(
      "caffe takes no --train_params; what the solver needs stands in its file",
    );
  return root;
}

async function requestOf(
  job: TrainJob,
  about: {
    readonly flags: TrainPackFlags;
    readonly codePath: string;
    readonly release: CatalogueRow | undefined;
    readonly catalogue: Catalogue;
    readonly context: Context;
  },
): Promise<ImageRequest> {
  const { flags, codePath, release, catalogue, context } = about;
  const base = job.ownImage ?? flags.base;
  return {
    platform: parsePlatform(flags.platform ?? "linux/amd64"),
    bases: { cpu: base, gpu: flags.gpuBase ?? base },
    isOwnImage: job.ownImage !== undefined,
    release,
    catalogue,
    apt: flags.apt ?? [],
    tree: await readCode(job, codePath, context),
    allowSecrets: flags.allowSecret ?? [],
    code: {
      root: codePath,
      name: basename(job.names.cpu).replace(/-cpu:.*$/s, ""),
      folder: "data",
      requirements: await requirementsOf(flags, codePath, context),
      indexes: indexesOf(flags, context),
      ignoreLibraries: flags.allowMissingLibrary,
      labels: {
        "dev.slipway.framework": job.release ?? job.framework,
        "dev.slipway.train.main": job.mainFile,
      },
      epochS: epochOf(context.env["SOURCE_DATE_EPOCH"]),
    },
  };
}

async function requirementsOf(
  { requirements }: TrainPackFlags,
  codePath: string,
  { cwd }: Context,
): Promise<readonly string[]> {
  if (requirements !== undefined) return requirements.map((file) => resolve(cwd, file));
  return (await isFile(join(codePath, "requirements.txt"))) ? ["requirements.txt"] : [];
}

function indexesOf(
  { indexUrl, extraIndexUrl = [], findLinks = [] }: TrainPackFlags,
  { cwd }: Context,
): ImageRequest["code"]["indexes"] {
  return {
    indexUrl,
    extraIndexUrls: extraIndexUrl,
    findLinks: findLinks.map((place) =>
      /^[a-z+]+:\/\//.test(place) ? place : resolve(cwd, place),
    ),
  };
}

/** Data has no place in an image: what the mounts hide stays out, and what looks like data is pointed out. */
async function readCode(job: TrainJob, codePath: string, context: Context): Promise<ProjectTree> {
  const named = [job.dataPath, job.outputPath].flatMap(
    (path) => placeBelow(codePath, path, context.cwd) ?? [],
  );
  for (const [flag, path] of [
    ["data", job.dataPath],
    ["output", job.outputPath],
  ] as const) {
    if (resolve(context.cwd, path) === codePath)
      context.reporter.warn(
        `--test_${flag}_path is the code folder itself, so what lies in it goes into the images; keep ${flag === "data" ? "data" : "results"} in a folder apart`,
      );
  }
  const hidden: string[] = [];
  for (const folder of HIDDEN_FOLDERS)
    if (
      !named.includes(folder) &&
      (await stat(join(codePath, folder)).catch(() => undefined)) !== undefined
    )
      hidden.push(folder);
  const out = [...new Set([...named, ...hidden])];
  for (const folder of out)
    context.reporter.warn(
      `"${folder}" in the code folder stays out of the images: it is data, and the container has its own ${folder === "output" ? "output" : "data"} folder mounted`,
    );
  const ignore = out.map((folder) => `/${folder}`);
  const tree = await walkTree(codePath, { ignore, signal: context.signal });
  const { files } = tree;
  if (!files.some(({ path }) => path === job.mainFile))
    throw new ToolError(
      "PROJECT_NOT_FOUND",
      `pack for ${job.framework}: --mainfile_path "${job.mainFile}" would not be in the image`,
      { hint: "take it out of .slipwayignore, and out of the data and output folders" },
    );
  for (const { path, files: count, bytes } of findDataFolders(
    files.map((file) => ({ path: file.path, size: file.guard.size })),
  )) {
    context.reporter.warn(
      `"${path}" in the code folder looks like data (${count} files, ${formatBytes(bytes)}) and would go into the images; list it in .slipwayignore and pass it with --test_data_path`,
    );
  }
  return tree;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

type Images = Partial<Record<Accelerator, PackedName>>;

async function makeImages(work: Work, context: Context): Promise<Images> {
  const { job, flags } = work;
  const wanted = imagesOf(job);
  await using store = await openStore(context);
  await using maker = await createImageMaker(work.request, store, context);
  const images: { -readonly [key in keyof Images]: Images[key] } = {};
  if (wanted.cpu !== undefined) {
    context.reporter.step(`packing ${wanted.cpu}`);
    const made = await maker.make("cpu");
    if (await lacksShell(made, store.cache("base")))
      context.reporter.warn(
        `"${made.base.name}" has no /bin/bash, which the printed commands start; add it with --apt bash, or run with \`slipway train run\`, which needs none`,
      );
    const pushName =
      flags.pushCpu === true ? job.names.gpu.replace(/:[^:/]*$/, (tag) => `-cpu${tag}`) : undefined;
    if (pushName !== undefined) await push(made, pushName, context);
    const { digest } = await keepMade(made, storeReference(wanted.cpu), store);
    if (pushName !== undefined) await keepMade(made, registryReference(pushName), store);
    images.cpu = { name: pushName ?? wanted.cpu, digest, isPushed: pushName !== undefined };
    await loadIntoEngine(wanted.cpu, flags, context);
  }
  if (wanted.gpu !== undefined) {
    context.reporter.step(`packing ${wanted.gpu}`);
    const made = await maker.make("gpu");
    const isPushed = flags.push !== false;
    if (isPushed) await push(made, wanted.gpu, context);
    images.gpu = {
      name: wanted.gpu,
      digest: (await keepMade(made, registryReference(wanted.gpu), store)).digest,
      isPushed,
    };
  }
  return images;
}

async function push(made: MadeImage, name: string, context: Context): Promise<Descriptor> {
  context.reporter.step(`pushing ${name}`);
  const { descriptor, bytesUploaded, bytesMounted, bytesSkipped } = await pushMade(
    made,
    name,
    context,
  );
  context.reporter.step(
    `pushed ${name}: ${formatBytes(bytesUploaded)} sent, ${formatBytes(bytesMounted)} mounted, ${formatBytes(bytesSkipped)} already there`,
  );
  return descriptor;
}

/** The printed command needs the image in an engine; without one the image waits in the store. */
async function loadIntoEngine(
  name: string,
  { engine: wanted = "auto" }: TrainPackFlags,
  context: Context,
): Promise<void> {
  if (wanted === "none") return;
  const kind = wanted === "auto" ? await answeringEngine(context) : wanted;
  if (kind === undefined)
    return context.reporter.step(
      `no docker or podman answers: "${name}" is in the local store, and \`slipway train run\` takes it from there`,
    );
  const [engine, { loadImage }] = await Promise.all([
    openEngine({ kind: kind === "docker" ? "docker-daemon" : "podman" }, context),
    import("../run/load-image.ts"),
  ]);
  await using place = await openForReading(`store:${name}`, context);
  await loadImage(
    engine,
    {
      source: place.source,
      descriptor: await place.source.resolve(place.reference, context),
      name,
    },
    context,
  );
}

async function answeringEngine(context: Context): Promise<"docker" | "podman" | undefined> {
  const { findEngine } = await import("../../images/engine/index.ts");
  try {
    return (await findEngine({ signal: context.signal })).kind;
  } catch (error) {
    if (isToolError(error) && error.code === "ENGINE_MISSING") return undefined;
    throw error;
  }
}

async function finish(work: Work, images: Images, context: Context): Promise<void> {
  const { job, paths, codePath, startedAt } = work;
  const { reporter } = context;
  await writeCommands(work, context);
  await writeFileAtomic(
    join(context.cwd, PLAN_FILE_NAME),
    printPlan(job, { paths, codePath, images }),
  );
  for (const line of commandLines(job, paths)) reporter.line(line);
  reporter.line(`You can check these cmd later in file: ${COMMAND_FILE_NAME}`);
  for (const { name, digest, isPushed } of Object.values(images))
    reporter.line(`${name} ${digest}${isPushed ? "" : " (in the local store)"}`);
  if (job.accelerator === "cpu" && images.cpu?.isPushed !== true)
    reporter.line(
      "nothing was pushed: --acc_type cpu makes an image for this machine only; --push-cpu pushes it",
    );
  const seconds = Math.round(performance.now() - startedAt) / 1000;
  reporter.step(`done in ${formatDuration(seconds * 1000)}`);
  reporter.result({
    framework: job.framework,
    images,
    commands: commandLines(job, paths),
    files: [COMMAND_FILE_NAME, PLAN_FILE_NAME],
    seconds,
  });
}

async function writeCommands({ job, paths }: Work, context: Context): Promise<void> {
  await writeFileAtomic(
    join(context.cwd, COMMAND_FILE_NAME),
    `${commandLines(job, paths).join("\n")}\n`,
  );
}

/** Says what would be made of what; asks no registry, and leaves only the command file. */
async function reportDryRun(work: Work, context: Context): Promise<void> {
  const { job, request, paths } = work;
  const { reporter } = context;
  const { files } = request.tree;
  const bytes = files.reduce((sum, { guard }) => sum + guard.size, 0);
  const rows = (Object.entries(imagesOf(job)) as readonly [Accelerator, string][]).map(
    ([accelerator, name]) => [name, ...planOf(work, accelerator)],
  );
  for (const line of formatTable([["image", "base", "packages"], ...rows])) reporter.line(line);
  reporter.line(
    `code: ${files.length} files, ${formatBytes(bytes)}, for ${formatPlatform(request.platform)}`,
  );
  await writeCommands(work, context);
  for (const line of commandLines(job, paths)) reporter.line(line);
  reporter.result({
    isDryRun: true,
    images: imagesOf(job),
    files: files.length,
    bytes,
    commands: commandLines(job, paths),
  });
}

function planOf({ request }: Work, accelerator: Accelerator): readonly string[] {
  try {
    const { name, requirements } = sourceOf(request, accelerator);
    return [
      name,
      [
        ...requirements,
        ...request.code.requirements.map((file) => basename(file)),
        ...request.apt,
      ].join(", "),
    ];
  } catch (error) {
    if (!isToolError(error)) throw error;
    return [`none: ${error.message}`, ""];
  }
}
