import { join, resolve } from "node:path";
import { createDeflatePool } from "../../images/compress/index.ts";
import { writeFileAtomic } from "../../ground/process/index.ts";
import { parsePlatform } from "../../images/oci/index.ts";
import {
  packImages,
  walkTree,
  type BaseImage,
  type PackContext,
  type PackProject,
  type ProjectTree,
} from "../../images/pack/index.ts";
import type { Store } from "../../images/store/index.ts";
import { withAptPackages } from "../pack/apt-packages.ts";
import { lackingPackages, openKnownBase } from "../pack/known-base.ts";
import { deliver, deliveryResult, type Packed } from "../pack/deliver.ts";
import { forgetfulStore, withoutWriting } from "../pack/dry-run.ts";
import { packContextOf } from "../pack/pack-context.ts";
import { planImages } from "../pack/plan.ts";
import { move } from "../places/move.ts";
import { parseOutput } from "../places/names.ts";
import { checkPushes, openStore } from "../places/places.ts";
import type { ImagesResult, PlanResult } from "../results.ts";
import type { Session } from "../session.ts";
import { warnOfSecrets, withAccount } from "./account.ts";
import { openPackSettings } from "./catalogue.ts";
import { baseSourceOf, type BaseSource } from "./packdocker-base.ts";
import { refusePythonTwo, warnOfRemarks } from "../python/review-python.ts";
import { readPythonSources, sourceFile } from "../python/python-sources.ts";
import { warnOfImports } from "../python/warn-of-imports.ts";
import { checkJob, isOnPythonThree, type CheckedJob } from "./packdocker-check.ts";
import { dockerfileOf } from "./packdocker-dockerfile.ts";
import { warnOfMissingImports } from "./packdocker-imports.ts";
import { TF1_ENVIRONMENT, uaiProjectOf } from "./packdocker-project.ts";
import { ownSettingsIn, warnOfStrays, type PackdockerRequest } from "./packdocker-request.ts";
import { chooseServer, servedBy, type ChosenServer } from "./packdocker-server.ts";
import type { FileAnswer } from "./post-file.ts";
import { inPythonThree } from "../python/in-python-three.ts";

/** An inference image that was made. */
export interface PackdockerResult extends ImagesResult {
  readonly server: ChosenServer;
  /** What the packed server answered to the files of the test. */
  readonly answers: readonly FileAnswer[];
}

/** An inference image that would be made. */
export interface PackdockerPlan extends PlanResult {
  /** Full name of the image. */
  readonly image: string;
  readonly server: ChosenServer;
}

/**
 * Checks everything, asks the registry whether it takes the image, makes it, tries it and pushes it, as the old tool's command of
 * this name did.
 * @throws ToolError `USAGE`, `PROJECT_INVALID`, `BASE_UNSUITABLE`, `MODEL_FAILED`, `REGISTRY_UNAUTHORIZED` and what making and pushing throws.
 */
export async function packdocker(
  request: PackdockerRequest,
  session: Session,
): Promise<PackdockerResult> {
  const startedAt = performance.now();
  const outputs = (request.outputs ?? []).map(parseOutput);
  const job = await prepare(request, session);
  return withPacked(job, { isKept: true, isPush: request.isPush !== false }, async (made) => {
    session.emit({ kind: "step", text: `${made.server.kind} serves: ${made.server.why}` });
    return takeAway(made, { outputs, startedAt });
  });
}

/** What `packdocker` would make, who would answer in it, and what a push would send. @param isKept - what is made is kept for the next pack. */
export async function planPackdocker(
  request: PackdockerRequest & { readonly isKept: boolean },
  session: Session,
): Promise<PackdockerPlan> {
  (request.outputs ?? []).map(parseOutput);
  const job = await prepare(request, session);
  const { job: wanted, mainClass } = job.checked;
  return withPacked(
    job,
    { isKept: request.isKept, isPush: false },
    async ({ packed, server, project }) => ({
      ...(await planImages(
        {
          project,
          label: `class ${mainClass} of ${wanted.release ?? wanted.framework}`,
          details: {},
          packed,
          names: [wanted.image],
          isPush: request.isPush !== false,
        },
        job.session,
      )),
      image: wanted.image,
      server,
    }),
  );
}

interface PreparedJob {
  readonly request: PackdockerRequest;
  readonly checked: CheckedJob;
  readonly project: PackProject;
  readonly source: BaseSource;
  /** What was said of its imports. */
  readonly said: readonly string[];
  /** With the credentials of the flags, which are for the registry of the image alone. */
  readonly session: Session;
}

async function prepare(given: PackdockerRequest, session: Session): Promise<PreparedJob> {
  const request = await inPythonThree(given, "pack_file_path", session);
  const { values, baseFrom } = request;
  const settings = await openPackSettings(request.catalogue, session);
  const checked = await checkJob(request, settings, session);
  if (isOnPythonThree(checked.job, request)) warnOfRemarks(checked.review, session);
  warnOfSecrets(
    values,
    session,
    baseFrom === "vendor"
      ? "put the keys into SLIPWAY_VENDOR_PUBLIC_KEY and SLIPWAY_VENDOR_PRIVATE_KEY"
      : undefined,
  );
  warnOfStrays(request, session);
  const source = await baseSourceOf(checked.job, { request, settings, session });
  const project = await uaiProjectOf(checked, { request, source, session });
  const said = isOnPythonThree(checked.job, request)
    ? await warnOfMissingImports(project, source.base, session)
    : [];
  return {
    request,
    said,
    checked,
    project,
    source,
    session: withAccount(values, { password: request.password, image: checked.job.image }, session),
  };
}

interface MadeJob extends PreparedJob {
  readonly store: Store;
  readonly packed: readonly Packed[];
  readonly server: ChosenServer;
}

/** Packs, and hands over what was packed while its base and its store are open. */
async function withPacked<T>(
  job: PreparedJob,
  { isKept, isPush }: { readonly isKept: boolean; readonly isPush: boolean },
  use: (made: MadeJob) => Promise<T>,
): Promise<T> {
  const { request, session } = job;
  await using store = await openStore(session);
  await using pool = createDeflatePool();
  const real = packContextOf(store, pool, session);
  const packContext = isKept ? real : withoutWriting(real);
  const { source } = job;
  const platform = parsePlatform(request.platform ?? "linux/amd64");
  const isDebianWanted = request.baseFrom === "debian";
  await using opened = await openKnownBase(
    { ...source, platform, isDebianWanted },
    packContext.cache("base"),
    session,
  );
  const bare = await opened.imageFor(platform);
  const base = await withAptPackages(bare, {
    packages: [...lackingPackages(source.apt ?? [], bare), ...(request.apt ?? [])],
    store: isKept ? store : { ...forgetfulStore(store), resolve: store.resolve.bind(store) },
    epochS: job.project.epochS,
    session,
  });
  const server = chooseServer(request.server, base);
  if (!isOnPythonThree(job.checked.job, request)) holdAgainstBase(job, server, base);
  const project = servedBy(server, withTensorFlowOne(job, server), {
    base,
    given: ownSettingsIn(request),
    session,
  });
  const tree = await walkTree(project.root, { ignore: project.ignore, signal: session.signal });
  const images = await packImages(
    { project, tree, onChecked: () => checkPushes(isPush ? [job.checked.job.image] : [], session) },
    [base],
    packContext,
  );
  const packed = images.map((image) => ({ image, base }));
  if (server.kind === "slipway") await warnOfOwn(job, { project, tree, packed }, packContext);
  return await use({ ...job, project, store, packed, server });
}

/** Says what the class imports and its image does not have, and what was not said of it before. */
async function warnOfOwn(
  { session, said }: PreparedJob,
  made: {
    readonly project: PackProject;
    readonly tree: ProjectTree;
    readonly packed: readonly Packed[];
  },
  context: PackContext,
): Promise<void> {
  const { project, tree, packed } = made;
  const sources = await readPythonSources(tree.files.map(sourceFile));
  const mainFile = project.code?.file ?? "";
  for (const { base, image } of packed.slice(0, 1))
    await warnOfImports(
      { mainFile, sources, base, layers: image.layers, env: project.env },
      { cache: context.cache("base"), said },
      session,
    );
}

/** Code of TensorFlow 1 gets its API, unless the user has said whether it should. */
function withTensorFlowOne(
  { project, request, checked: { review }, session }: PreparedJob,
  { kind }: ChosenServer,
): PackProject {
  const { oldTensorFlow } = review;
  if (kind !== "slipway" || request.isTf1 !== undefined || oldTensorFlow === undefined)
    return project;
  session.emit({
    kind: "step",
    text: `${oldTensorFlow}: \`import tensorflow\` gives its API in this image, as with --tf1-compat (--no-tf1-compat leaves it as it is)`,
  });
  return { ...project, env: { ...project.env, ...TF1_ENVIRONMENT } };
}

/** Our server runs classes on Python 3; a server of the base's own may have Python 2. */
function holdAgainstBase(
  { checked: { review }, session, request }: PreparedJob,
  { kind }: ChosenServer,
  { facts }: BaseImage,
): void {
  const { problems } = review;
  if (kind === "slipway")
    refusePythonTwo(review, { what: `packdocker ${request.framework}`, caller: session });
  else if (facts.python !== undefined) warnOfRemarks({ remarks: problems }, session);
}

/** Pushes, or keeps; what is written on this machine is written last, so that a failure leaves nothing. */
async function takeAway(
  { request, checked, project, source, session, store, packed, server }: MadeJob,
  about: { readonly outputs: readonly string[]; readonly startedAt: number },
): Promise<PackdockerResult> {
  const { job, confName } = checked;
  const answers = await tryFirst({ request, packed, server, project }, session);
  const isPush = request.isPush !== false;
  const delivered = await deliver({ packed, names: [job.image], isPush, store, session });
  for (const output of about.outputs)
    await move({ from: job.image, to: output, isFromStore: true }, session);
  const [first] = packed;
  if (request.dockerfile !== undefined && first !== undefined) {
    await writeFileAtomic(
      resolve(session.cwd, request.dockerfile),
      await dockerfileOf({ name: job.image, project, packed: first, base: source.base, confName }),
    );
  }
  await writeConf(checked, request);
  const result = await deliveryResult(delivered, {
    packed,
    names: [job.image],
    startedAt: about.startedAt,
  });
  return { ...result, server, answers };
}

/** What the packed server answers to the files of the test. */
async function tryFirst(
  {
    request: { test },
    packed: [packed],
    server,
    project,
  }: Pick<MadeJob, "request" | "packed" | "server" | "project">,
  session: Session,
): Promise<readonly FileAnswer[]> {
  if (test === undefined || packed === undefined) return [];
  const { tryPacked } = await import("./packdocker-try.ts");
  return tryPacked(
    {
      packed,
      server,
      port: project.ports.http,
      files: test.files,
      engine: test.engine,
      timeoutMs: test.timeoutMs ?? 120_000,
    },
    session,
  );
}

/** For those who want the file in their own folder, as the old tool left it there. */
async function writeConf(
  { job, folder, conf, confName }: CheckedJob,
  { hasConfWritten }: PackdockerRequest,
): Promise<void> {
  if (hasConfWritten === true && job.framework !== "self")
    await writeFileAtomic(join(folder, confName), conf);
}
