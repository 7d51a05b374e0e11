import { oneChunk } from "../../ground/bytes/index.ts";
import { resolve } from "node:path";
import type { Command } from "commander";
import {
  buildDebianBase,
  type BuildStep,
  type BuiltBase,
  type DebianArchitecture,
  type DebianBaseOptions,
} from "../../images/bases/index.ts";
import { pushImage, storeReference } from "../../images/copy/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import {
  createIndex,
  formatPlatform,
  imageDescriptor,
  type Descriptor,
  type Reference,
} from "../../images/oci/index.ts";
import type { Store } from "../../images/store/index.ts";
import type { Context } from "../../app/context.ts";
import { readLockFile, writeLockFile } from "../../app/pack/lock-file.ts";
import { collectList, epochOf } from "../../app/options.ts";
import { openStore } from "../../app/places/places.ts";
import { formatBytes, formatDuration, formatTable, shortDigest } from "../../app/format.ts";

interface Flags {
  readonly name: string;
  readonly include?: readonly string[];
  readonly arch?: readonly string[];
  readonly suite?: string;
  readonly mirror?: string;
  readonly snapshot?: string;
  readonly full?: boolean;
  readonly lock?: string;
}

/** `slipway base debian`. */
export function define(command: Command, context: Context): void {
  command
    .addHelpText("after", "\nExample:\n  slipway base debian --include python3 --name pybase")
    .action(() => {
      throw new ToolError("USAGE", "base: it does not say of what", {
        hint: "write `slipway base debian --name NAME`",
      });
    });
  command
    .command("debian")
    .description(
      "make a Debian image from packages, without root and without a container, and keep it in the local store",
    )
    .requiredOption("--name <name>", "its name in the store: NAME[:TAG]")
    .option(
      "--include <packages>",
      "packages on top of the minimal set, with commas between them; NAME or NAME=VERSION",
      collectList,
    )
    .option("--arch <names>", "amd64 (default), arm64, or both with a comma", collectList)
    .option("--suite <release>", "such as bookworm (default: this machine's own)")
    .option("--mirror <url>", "where packages come from (default: this machine's own)")
    .option(
      "--snapshot <time>",
      "state of the archive at a time, such as 20260101T000000Z, from snapshot.debian.org",
    )
    .option("--full", "a whole Debian with its scripts run, by mmdebstrap")
    .option(
      "--lock <file>",
      "use the exact packages of the file; it is written when it is not there",
    )
    .addHelpText(
      "after",
      "\nExample:\n  slipway base debian --include python3,libgomp1 --name pybase\n  slipway base debian --include python3 --arch amd64,arm64 --lock pybase.lock.json --name pybase:v2",
    )
    .action((flags: Flags) => makeBase(flags, context));
}

async function makeBase(flags: Flags, context: Context): Promise<void> {
  const startedAt = performance.now();
  const reference = storeReference(flags.name.replace(/^store:/, ""));
  if (reference.digest !== undefined)
    throw new ToolError(
      "USAGE",
      `base debian --name "${flags.name}": a new image has no digest yet`,
      { hint: "write --name NAME[:TAG]" },
    );
  const lockPath = flags.lock === undefined ? undefined : resolve(context.cwd, flags.lock);
  const lock = lockPath === undefined ? undefined : await readLockFile(lockPath);
  await using store = await openStore(context);
  const base = await buildDebianBase({ ...optionsOf(flags, context), lock, blobs: store });
  if (lockPath !== undefined && lock === undefined) await writeLockFile(lockPath, base.lock);
  const descriptor = await keep(base.images, { store, reference, context });
  await report(base.images, { descriptor, reference, startedAt, context });
}

function optionsOf(
  flags: Flags,
  { directories, env, reporter, signal }: Context,
): Omit<DebianBaseOptions, "blobs"> {
  return {
    include: flags.include,
    architectures: flags.arch?.map(architectureOf),
    suite: flags.suite,
    mirror: flags.mirror,
    snapshot: flags.snapshot,
    isFull: flags.full === true,
    epochS: epochOf(env["SOURCE_DATE_EPOCH"]),
    cacheDir: `${directories.cache}/debian`,
    now: Date.now,
    onWarning: (text) => reporter.warn(text),
    onProgress: (step) => reporter.step(sentenceOf(step)),
    signal,
  };
}

function architectureOf(text: string): DebianArchitecture {
  const name = text.replace(/^linux\//, "");
  if (name === "amd64" || name === "arm64") return name;
  throw new ToolError("USAGE", `base debian --arch "${text}": there is no base for it`, {
    hint: "write amd64, arm64, or amd64,arm64",
  });
}

const STEPS: Readonly<Record<BuildStep["step"], string>> = {
  index: "reading the package index",
  solve: "choosing packages",
  download: "downloading packages",
  unpack: "unpacking",
  compress: "making the layer",
};

function sentenceOf({ step, architecture, bytes, label }: BuildStep): string {
  return `${architecture}: ${STEPS[step]}${label === undefined ? "" : ` ${label}`}${bytes === undefined ? "" : ` (${formatBytes(bytes)})`}`;
}

/** One image is named itself; several through an index. */
async function keep(
  images: readonly BuiltBase[],
  {
    store,
    reference,
    context,
  }: { readonly store: Store; readonly reference: Reference; readonly context: Context },
): Promise<Descriptor> {
  const { signal } = context;
  const to = images.length === 1 ? [reference] : [];
  const entries: { readonly descriptor: Descriptor; readonly platform: BuiltBase["platform"] }[] =
    [];
  for (const { image, platform } of images)
    entries.push({
      platform,
      descriptor: (await pushImage(image, store, { to, signal })).descriptor,
    });
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) return only.descriptor;
  const { bytes, descriptor } = createIndex(entries);
  await store.put(descriptor, oneChunk(bytes), { signal });
  await store.tag(descriptor, reference, { signal });
  return descriptor;
}

async function report(
  images: readonly BuiltBase[],
  about: {
    readonly descriptor: Descriptor;
    readonly reference: Reference;
    readonly startedAt: number;
    readonly context: Context;
  },
): Promise<void> {
  const { descriptor, reference, context } = about;
  const tookMs = performance.now() - about.startedAt;
  const facts = await Promise.all(
    images.map(async ({ image, platform, packages, facts: base, layersMade }) => {
      const layers = await Promise.all((await image.layers()).map((layer) => layer.descriptor()));
      const { digest } = await imageDescriptor(image);
      return {
        platform: formatPlatform(platform),
        digest,
        packages: packages.length || base.packages.length,
        layers: layers.length,
        layersMade,
        bytes: layers.reduce((sum, { size }) => sum + size, 0),
        suite: base.suite,
        glibc: base.glibc,
        python: base.python?.version,
      };
    }),
  );
  const rows = facts.map((fact) => [
    fact.platform,
    `${fact.packages} packages`,
    `${fact.layers} layer${fact.layers === 1 ? "" : "s"}`,
    formatBytes(fact.bytes),
    fact.suite,
    `glibc ${fact.glibc}`,
    fact.python === undefined ? "" : `python ${fact.python}`,
    shortDigest(fact.digest),
  ]);
  for (const line of formatTable(rows)) context.reporter.line(line);
  context.reporter.line(`made in ${formatDuration(tookMs)}`);
  context.reporter.line(`store:${reference.repository}@${descriptor.digest}`);
  context.reporter.result({
    name: `store:${reference.repository}:${reference.tag ?? "latest"}`,
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    images: facts,
    seconds: Math.round(tookMs) / 1000,
  });
}
