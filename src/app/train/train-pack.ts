import { basename, join, resolve } from "node:path";
import {
  chooseRow,
  mapBases,
  switchRegistryHost,
  type Catalogue,
  type CatalogueRow,
} from "../../jobs/catalogue/index.ts";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import { writeFileAtomic } from "../../ground/process/index.ts";
import { formatPlatform, parsePlatform } from "../../images/oci/index.ts";
import {
  checkGpu,
  COMMAND_FILE_NAME,
  commandLines,
  EXPORTER_MAIN,
  findRelease,
  imagesOf,
  isOpen,
  parseJob,
  PLAN_FILE_NAME,
  printPlan,
  trainSideOf,
  type Accelerator,
  type HostPaths,
  type PackedName,
  type TrainJob,
} from "../../jobs/train/index.ts";
import { formatBytes } from "../format.ts";
import { deliver, deliveryResult } from "../pack/deliver.ts";
import { accountProblems, warnOfSecrets, withAccount } from "../packdocker/account.ts";
import { openPackSettings } from "../packdocker/catalogue.ts";
import { checkPushes, openEngine, openForReading, openStore } from "../places/places.ts";
import type { ImageResult, TransferResult } from "../results.ts";
import { epochOf } from "../settings.ts";
import { declaredLines } from "../python/declared-packages.ts";
import type { Caller, Places, Session } from "../session.ts";
import { checkCode, indexesOf, readCode, requirementsOf } from "./train-code.ts";
import { createImageMaker, lacksShell, sourceOf, type ImageRequest } from "./train-images.ts";
import { reviewCode, warnOfTrainImports } from "./train-python.ts";
import { inPythonThree } from "../python/in-python-three.ts";
import type { TrainPackRequest } from "./train-request.ts";

/** Training images that were made. */
export interface TrainPackResult extends TransferResult {
  readonly kind: "made";
  readonly framework: TrainPackRequest["framework"];
  /** The CPU image, then the GPU image, as far as the job wants them. */
  readonly images: readonly ImageResult[];
  /** The same by what they run on, as the plan file has them. */
  readonly byAccelerator: Partial<Readonly<Record<Accelerator, PackedName>>>;
  /** What runs them, as lines of a shell. */
  readonly commands: readonly string[];
  /** Names of the files that were written into the working folder. */
  readonly files: readonly string[];
  /** Why nothing was pushed, where one could expect it. */
  readonly isForThisMachineOnly: boolean;
  readonly tookMs: number;
}

/** Training images that would be made. */
export interface TrainPackPlan {
  readonly kind: "plan";
  readonly images: readonly PlannedTrainImage[];
  /** Of the code. */
  readonly files: number;
  readonly bytes: number;
  /** `os/architecture`. */
  readonly platform: string;
  readonly commands: readonly string[];
}

/** One image of a plan. */
export interface PlannedTrainImage {
  readonly accelerator: Accelerator;
  readonly name: string;
  /** Absent when there is none; `problem` says why. */
  readonly base?: string | undefined;
  readonly packages: readonly string[];
  readonly problem?: string | undefined;
}

/**
 * Asks the registry whether it takes the images, makes them, takes them where they belong, and writes the commands.
 * @throws ToolError `USAGE`, `PROJECT_NOT_FOUND`, `BASE_UNSUITABLE`, `REGISTRY_UNAUTHORIZED` and what making and pushing throws.
 */
export async function trainPack(
  request: TrainPackRequest,
  session: Session,
): Promise<TrainPackResult> {
  const startedAt = performance.now();
  const work = await prepare(request, session);
  const { values, password } = request;
  const own = withAccount(values, { password, image: work.job.names.gpu }, session);
  // A base that nobody can name is said before a registry is asked.
  for (const accelerator of ["cpu", "gpu"] as const)
    if (imagesOf(work.job)[accelerator] !== undefined) sourceOf(work.image, accelerator);
  await checkPushes(Object.values(pushNames(work)), own);
  const made: MadeSoFar = { images: [], byAccelerator: {}, transfers: [] };
  try {
    await makeImages(work, made, own);
  } catch (error) {
    // What was made can be used: its commands are written all the same.
    if (made.images.length > 0) await writeFiles(work, made, session);
    throw error;
  }
  await writeFiles(work, made, session);
  const sum = (pick: (transfer: TransferResult) => number): number =>
    made.transfers.reduce((total, transfer) => total + pick(transfer), 0);
  return {
    kind: "made",
    framework: work.job.framework,
    images: made.images,
    byAccelerator: made.byAccelerator,
    commands: commandLines(work.job, work.paths),
    files: [COMMAND_FILE_NAME, PLAN_FILE_NAME],
    isForThisMachineOnly:
      work.job.accelerator === "cpu" && made.byAccelerator.cpu?.isPushed !== true,
    bytesUploaded: sum((transfer) => transfer.bytesUploaded),
    bytesMounted: sum((transfer) => transfer.bytesMounted),
    bytesSkipped: sum((transfer) => transfer.bytesSkipped),
    tookMs: performance.now() - startedAt,
  };
}

/**
 * What would be made of what; asks no registry, and leaves only the command file.
 * @throws ToolError as `trainPack`; `REFERENCE_NOT_FOUND` for a base that the store does not have.
 */
export async function planTrainPack(
  request: TrainPackRequest,
  session: Session,
): Promise<TrainPackPlan> {
  const work = await prepare(request, session);
  const { files } = work.image.tree;
  const images = (Object.entries(imagesOf(work.job)) as readonly [Accelerator, string][]).map(
    ([accelerator, name]) => ({ accelerator, name, ...planOf(work, accelerator) }),
  );
  for (const { base } of images)
    if (base?.startsWith("store:") === true) await checkStored(base, session);
  await writeCommands(work, session);
  return {
    kind: "plan",
    images,
    files: files.length,
    bytes: files.reduce((sum, { guard }) => sum + guard.size, 0),
    platform: formatPlatform(work.image.platform),
    commands: commandLines(work.job, work.paths),
  };
}

/** @throws ContentError `REFERENCE_NOT_FOUND` when the store has no such image. */
async function checkStored(name: string, session: Session): Promise<void> {
  await using place = await openForReading(name, session);
  await place.source.resolve(place.reference, session);
}

interface Work {
  readonly job: TrainJob;
  readonly request: TrainPackRequest;
  readonly paths: HostPaths;
  /** Absolute; absent where the image has what runs. */
  readonly codePath: string | undefined;
  readonly image: ImageRequest;
}

async function prepare(given: TrainPackRequest, session: Session): Promise<Work> {
  const request = await inPythonThree(given, "code_path", session);
  const { framework, values } = request;
  const { catalogue, registries } = await openPackSettings(request.catalogue, session);
  const hasBase = request.base !== undefined;
  const { isExporter, hasFolderFlags } = request;
  const job = parseJob(framework, values, { hasBase, registries, isExporter, hasFolderFlags });
  const [problem] = accountProblems(values, request.password);
  if (problem !== undefined)
    throw new ToolError("USAGE", `pack for ${framework}: --${problem.flag}: ${problem.why}`);
  warnOfSecrets(values, session);
  const found = findRelease(job, catalogue, { hasBase: job.ownImage !== undefined || hasBase });
  const release =
    found === undefined
      ? bareRow(job, { catalogue, hasBase })
      : mapBases(found, (base) => switchRegistryHost(base, trainSideOf(values), registries));
  if (
    release !== undefined &&
    isOpen(release) &&
    job.ownImage === undefined &&
    !job.isExporter &&
    job.accelerator === "gpu"
  )
    for (const text of checkGpu(release, { card: request.gpu, driver: request.driver }))
      session.emit({ kind: "step", text });
  const codePath = await checkCode(job, session);
  const image = await requestOf(job, { request, codePath, release, catalogue, session });
  await reviewCode({ job, image }, session);
  return {
    job,
    request,
    codePath,
    paths: { data: resolved(job.dataPath, session), output: resolved(job.outputPath, session) },
    image,
  };
}

/** The row whose plain Python the exporter stands on where no base is named: it needs Python, and none of a framework's wheels. */
function bareRow(
  { isExporter, ownImage, python }: TrainJob,
  { catalogue, hasBase }: { readonly catalogue: Catalogue; readonly hasBase: boolean },
): CatalogueRow | undefined {
  if (!isExporter || hasBase || ownImage !== undefined) return undefined;
  const choice = chooseRow(catalogue, { framework: "pytorch", purpose: "training", python });
  return choice.kind === "found" ? choice.row : undefined;
}

/** An absolute path stays as it was written; docker takes no others. */
function resolved(path: string, { cwd }: Places): string {
  return path.startsWith("/") ? path : resolve(cwd, path);
}

const NO_FILES: ImageRequest["tree"] = { files: [], emptyFolders: [], linkedBlobs: [] };

async function requestOf(
  job: TrainJob,
  about: {
    readonly request: TrainPackRequest;
    readonly codePath: string | undefined;
    readonly release: CatalogueRow | undefined;
    readonly catalogue: Catalogue;
    readonly session: Session;
  },
): Promise<ImageRequest> {
  const { request, codePath, release, catalogue, session } = about;
  const base = job.ownImage ?? request.base;
  const requirements = await requirementsOf(request, codePath, session);
  return {
    platform: parsePlatform(request.platform ?? "linux/amd64"),
    bases: { cpu: base, gpu: request.gpuBase ?? base },
    isOwnImage: job.ownImage !== undefined,
    release,
    catalogue,
    python: job.python,
    isBare: job.isExporter,
    apt: request.apt ?? [],
    tree: codePath === undefined ? NO_FILES : await readCode(job, codePath, session),
    allowSecrets: request.allowSecrets ?? [],
    declared:
      codePath === undefined || requirements.length > 0
        ? []
        : await declaredLines(codePath, session),
    code: {
      root: codePath ?? session.cwd,
      name: basename(job.names.cpu).replace(/-cpu:.*$/s, ""),
      folder: "data",
      requirements,
      indexes: indexesOf(request, session),
      ignoreLibraries: request.allowMissingLibraries,
      exporter: job.isExporter ? EXPORTER_MAIN : undefined,
      labels: {
        "dev.slipway.framework": job.release ?? job.framework,
        "dev.slipway.train.main": job.mainFile,
      },
      epochS: epochOf(session.environment["SOURCE_DATE_EPOCH"]),
    },
  };
}

/** What is made so far. */
interface MadeSoFar {
  readonly images: ImageResult[];
  readonly byAccelerator: Partial<Record<Accelerator, PackedName>>;
  readonly transfers: TransferResult[];
}

/** Names that are pushed, by image. */
function pushNames({ job, request }: Work): Partial<Readonly<Record<Accelerator, string>>> {
  const wanted = imagesOf(job);
  const hasCpu = wanted.cpu !== undefined && request.isCpuPushed === true;
  const hasGpu = wanted.gpu !== undefined && request.isPush !== false;
  return {
    ...(hasCpu && { cpu: job.names.gpu.replace(/:[^:/]*$/, (tag) => `-cpu${tag}`) }),
    ...(hasGpu && { gpu: wanted.gpu }),
  };
}

async function makeImages(work: Work, made: MadeSoFar, session: Session): Promise<void> {
  const { job, request } = work;
  await using store = await openStore(session);
  await using maker = await createImageMaker(work.image, store, session);
  const said: string[] = [];
  for (const accelerator of ["cpu", "gpu"] as const) {
    const name = imagesOf(job)[accelerator];
    if (name === undefined) continue;
    const startedAt = performance.now();
    session.emit({ kind: "step", text: `packing ${name}` });
    const packed = await maker.make(accelerator);
    const code = { job, image: work.image, packed };
    said.push(...(await warnOfTrainImports(code, { cache: store.cache("base"), said }, session)));
    if (accelerator === "cpu" && (await lacksShell(packed, store.cache("base"))))
      session.emit({
        kind: "warning",
        text: `"${packed.base.name}" has no /bin/bash, which the printed commands start; add it with --apt bash, or run with \`slipway train run\`, which needs none`,
      });
    const pushName = pushNames(work)[accelerator];
    // The CPU image is this machine's own; the other has the name of its registry in the store as well.
    const names = [
      ...(accelerator === "cpu" ? [`store:${name}`] : [name]),
      ...(accelerator === "cpu" && pushName !== undefined ? [pushName] : []),
    ];
    const isPush = pushName !== undefined;
    const delivered = await deliver({ packed: [packed], names, isPush, store, session });
    const result = await deliveryResult(delivered, { packed: [packed], names, startedAt });
    if (pushName !== undefined)
      session.emit({
        kind: "step",
        text: `pushed ${pushName}: ${formatBytes(result.bytesUploaded)} sent, ${formatBytes(result.bytesMounted)} mounted, ${formatBytes(result.bytesSkipped)} already there`,
      });
    made.images.push(...result.images);
    made.transfers.push(result);
    made.byAccelerator[accelerator] = {
      name: pushName ?? name,
      digest: result.descriptor.digest,
      isPushed: isPush,
    };
    if (accelerator === "cpu") await loadIntoEngine(name, request, session);
  }
}

/** The printed command needs the image in an engine; without one the image waits in the store. */
async function loadIntoEngine(
  name: string,
  { engine: wanted = "auto" }: TrainPackRequest,
  session: Places,
): Promise<void> {
  if (wanted === "none") return;
  const kind = wanted === "auto" ? await answeringEngine(session) : wanted;
  if (kind === undefined)
    return session.emit({
      kind: "step",
      text: `no docker or podman answers: "${name}" is in the local store, and \`slipway train run\` takes it from there`,
    });
  const [engine, { loadImage }] = await Promise.all([
    openEngine({ kind: kind === "docker" ? "docker-daemon" : "podman" }, session),
    import("../run/load-image.ts"),
  ]);
  await using place = await openForReading(`store:${name}`, session);
  await loadImage(
    engine,
    {
      source: place.source,
      descriptor: await place.source.resolve(place.reference, session),
      name,
    },
    session,
  );
}

async function answeringEngine(session: Caller): Promise<"docker" | "podman" | undefined> {
  const { findEngine } = await import("../../images/engine/index.ts");
  try {
    return (await findEngine({ signal: session.signal })).kind;
  } catch (error) {
    if (isToolError(error) && error.code === "ENGINE_MISSING") return undefined;
    throw error;
  }
}

async function writeFiles(work: Work, made: MadeSoFar, session: Places): Promise<void> {
  const { job, paths, codePath } = work;
  await writeCommands(work, session);
  await writeFileAtomic(
    join(session.cwd, PLAN_FILE_NAME),
    printPlan(job, { paths, codePath, images: made.byAccelerator }),
  );
}

async function writeCommands({ job, paths }: Work, { cwd }: Places): Promise<void> {
  await writeFileAtomic(join(cwd, COMMAND_FILE_NAME), `${commandLines(job, paths).join("\n")}\n`);
}

function planOf(
  { image }: Work,
  accelerator: Accelerator,
): Omit<PlannedTrainImage, "accelerator" | "name"> {
  try {
    const { name, requirements } = sourceOf(image, accelerator);
    const files = image.code.requirements.map((file) => basename(file));
    return { base: name, packages: [...requirements, ...files, ...image.apt] };
  } catch (error) {
    if (!isToolError(error)) throw error;
    return { packages: [], problem: error.message };
  }
}
