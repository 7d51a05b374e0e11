import { join, resolve } from "node:path";
import { createDeflatePool } from "../../images/compress/index.ts";
import { writeFileAtomic } from "../../ground/process/index.ts";
import { parsePlatform } from "../../images/oci/index.ts";
import { packImages, walkTree, type PackProject } from "../../images/pack/index.ts";
import type { Store } from "../../images/store/index.ts";
import type { UaiFramework } from "../../jobs/uai/index.ts";
import { withAptPackages } from "../pack/apt-packages.ts";
import { openBase } from "../pack/base-image.ts";
import { openPackSettings } from "./catalogue.ts";
import type { Context } from "../context.ts";
import { deliver, type Packed } from "../pack/deliver.ts";
import { forgetfulStore, withoutWriting } from "../pack/dry-run.ts";
import { move } from "../places/move.ts";
import { warnOfSecrets, withAccount } from "./old-account.ts";
import { packContextOf } from "../pack/pack-context.ts";
import { parseOutput } from "../pack/pack-project.ts";
import { baseSourceOf } from "./packdocker-base.ts";
import { checkJob, type CheckedJob } from "./packdocker-check.ts";
import { dockerfileOf } from "./packdocker-dockerfile.ts";
import {
  ownSettingsIn,
  uaiValuesOf,
  warnOfStrays,
  type PackdockerFlags,
} from "./packdocker-flags.ts";
import { reportPlan } from "./packdocker-plan.ts";
import { uaiProjectOf } from "./packdocker-project.ts";
import { chooseServer, servedBy, type ChosenServer } from "./packdocker-server.ts";
import { openStore } from "../places/places.ts";
import type { Reply } from "./post-file.ts";

/** Checks everything, makes the image and pushes it, as the old tool's command of this name did. */
export async function packdocker(
  framework: UaiFramework,
  flags: PackdockerFlags,
  context: Context,
): Promise<void> {
  const values = uaiValuesOf(framework, flags);
  const outputs = (flags.output ?? []).map(parseOutput);
  const settings = await openPackSettings(flags.catalogue, context);
  const checked = await checkJob(framework, { values, flags, settings }, context);
  warnOfSecrets(
    values,
    context,
    flags.baseFrom === "vendor"
      ? "put the keys into SLIPWAY_VENDOR_PUBLIC_KEY and SLIPWAY_VENDOR_PRIVATE_KEY"
      : undefined,
  );
  warnOfStrays(framework, flags, context);
  const source = await baseSourceOf(checked.job, { values, flags, settings, context });
  const project = await uaiProjectOf(checked, { flags, source, context });
  await make({
    checked,
    project,
    base: source.base,
    flags,
    outputs,
    context: await withAccount(
      values,
      { isOnStdin: flags.passwordStdin === true, image: checked.job.image },
      context,
    ),
  });
}

interface Making {
  readonly checked: CheckedJob;
  readonly project: PackProject;
  readonly base: string;
  readonly flags: PackdockerFlags;
  readonly outputs: readonly string[];
  /** With the credentials of the flags, which are for the registry of the image alone. */
  readonly context: Context;
}

async function make(making: Making): Promise<void> {
  const { base: baseName, flags, context } = making;
  await using store = await openStore(context);
  await using pool = createDeflatePool();
  const real = packContextOf(store, pool, context);
  const packContext = flags.dryRun === true ? withoutWriting(real) : real;
  await using opened = await openBase(baseName, packContext.cache("base"), context);
  const base = await withAptPackages(
    await opened.imageFor(parsePlatform(flags.platform ?? "linux/amd64")),
    {
      packages: flags.apt ?? [],
      store:
        flags.dryRun === true
          ? { ...forgetfulStore(store), resolve: store.resolve.bind(store) }
          : store,
      epochS: making.project.epochS,
      context,
    },
  );
  const server = chooseServer(flags.server, base);
  const project = servedBy(server, making.project, { base, given: ownSettingsIn(flags), context });
  const tree = await walkTree(project.root, { ignore: project.ignore, signal: context.signal });
  const images = await packImages({ project, tree }, [base], packContext);
  const packed = images.map((image) => ({ image, base }));
  if (flags.plan === true || flags.dryRun === true)
    return await reportPlan({ ...making, project, packed, server });
  context.reporter.step(`${server.kind} serves: ${server.why}`);
  await takeAway({ ...making, project, store, packed, server });
}

interface Made extends Making {
  readonly store: Store;
  readonly packed: readonly Packed[];
  readonly server: ChosenServer;
}

/** Pushes, or keeps; what is written on this machine is written last, so that a failure leaves nothing. */
async function takeAway({
  checked,
  project,
  base,
  flags,
  outputs,
  context,
  store,
  packed,
  server,
}: Made): Promise<void> {
  const { job, confName } = checked;
  const isPush = flags.push !== false;
  const tests = await test({ flags, packed, server, project }, context);
  const { descriptor } = await deliver({ packed, names: [job.image], isPush, store, context });
  for (const output of outputs)
    await move({ from: job.image, to: output, isFromStore: true }, context);
  const [first] = packed;
  if (flags.emitDockerfile !== undefined && first !== undefined) {
    await writeFileAtomic(
      resolve(context.cwd, flags.emitDockerfile),
      await dockerfileOf({ name: job.image, project, packed: first, base, confName }),
    );
  }
  await writeConf(checked, flags);
  if (isPush) context.reporter.line(`upload docker images successful. images:${job.image}`);
  context.reporter.line(
    `${job.image} ${descriptor.digest}${isPush ? "" : " (in the local store)"}`,
  );
  context.reporter.result({
    image: job.image,
    digest: descriptor.digest,
    isPushed: isPush,
    framework: job.framework,
    server: server.kind,
    ...(tests.length > 0 && { tests }),
  });
}

/** What the packed server answers to the files of `--test`. */
async function test(
  {
    flags,
    packed: [packed],
    server,
    project,
  }: Pick<Made, "flags" | "packed" | "server" | "project">,
  context: Context,
): Promise<readonly Reply[]> {
  if (flags.test === undefined || packed === undefined) return [];
  const { tryPacked } = await import("./packdocker-try.ts");
  return tryPacked(
    {
      packed,
      server,
      port: project.ports.http,
      files: flags.test,
      engine: flags.testEngine,
      timeoutMs: (flags.testTimeout ?? 120) * 1000,
    },
    context,
  );
}

/** For those who want the file in their own folder, as the old tool left it there. */
async function writeConf(
  { job, folder, conf, confName }: CheckedJob,
  flags: PackdockerFlags,
): Promise<void> {
  if (flags.writeConf === true && job.framework !== "self")
    await writeFileAtomic(join(folder, confName), conf);
}
