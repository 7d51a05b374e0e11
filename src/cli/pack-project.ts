import { parseLocation, pushImage, type CopyResult } from "../copy/index.ts";
import { createDeflatePool } from "../compress/index.ts";
import { ToolError } from "../errors/index.ts";
import { createIndex, imageDescriptor, manifestOf, parsePlatform, type Descriptor, type Layer, type Platform, type Reference, type Sink } from "../oci/index.ts";
import { packImage, type BaseImage, type PackContext, type PackedImage } from "../pack/index.ts";
import type { Store } from "../store/index.ts";
import { openBase, type OpenBase } from "./base-image.ts";
import type { Context } from "./context.ts";
import { downloadPackage } from "./download-package.ts";
import { move, pinnedName } from "./move.ts";
import { openForWriting, openStore } from "./places.ts";
import { loadProject, type LoadedProject, type ProjectFlags } from "./project.ts";
import { formatBytes, formatDuration } from "./render/format.ts";
import { reportPlan } from "./render/plan.ts";
import { findToolFiles } from "./tool-files.ts";

/** Flags of `slipway pack`. */
export interface PackFlags extends Omit<ProjectFlags, "env"> {
  readonly tag?: readonly string[];
  readonly base?: string;
  readonly push?: boolean;
  readonly plan?: boolean;
  readonly dryRun?: boolean;
  readonly output?: readonly string[];
  readonly platform?: readonly string[];
  readonly env?: readonly string[];
}

/** One image per platform, packed and not yet anywhere. */
interface Packed {
  readonly image: PackedImage;
  readonly base: BaseImage;
}

/** Packs a project, keeps the image in the store, and takes it where the flags say. */
export async function packProject(folder: string, flags: PackFlags, context: Context): Promise<void> {
  const startedAt = performance.now();
  const outputs = (flags.output ?? []).map(parseOutput);
  await using store = await openStore(context);
  const loaded = await loadProject(folder, { ...flags, env: parseEnv(flags.env ?? []) }, { context, memory: store.cache("formats") });
  const names = namesOf(flags, loaded);
  await using base = await openBase(baseOf(flags, loaded), store.cache("base"), context);
  await using pool = createDeflatePool();
  const packContext = packContextOf(store, pool, context);
  const platforms = (flags.platform ?? loaded.file.platforms ?? ["linux/amd64"]).map(parsePlatform);
  const packed: Packed[] = [];
  for (const platform of platforms) packed.push(await packOne(loaded, { base, platform, context: packContext }));
  if (flags.plan === true || flags.dryRun === true) return await reportPlan(context, { loaded, packed, names, folder });
  const target = await deliver({ packed, names, isPush: flags.push === true, store, context });
  for (const output of outputs) {
    context.reporter.step(`writing ${output}`);
    await move({ from: names[0] ?? "", to: output, isFromStore: true }, context);
  }
  report(context, { ...target, names, isPush: flags.push === true, startedAt });
}

async function packOne(loaded: LoadedProject, { base, platform, context }: { readonly base: OpenBase; readonly platform: Platform; readonly context: PackContext }): Promise<Packed> {
  const baseImage = await base.imageFor(platform);
  return { base: baseImage, image: await packImage(loaded.project, baseImage, context) };
}

function packContextOf(store: Store, pool: PackContext["pool"], context: Context): PackContext {
  return {
    store,
    digests: store.digestCache(),
    cache: (namespace) => store.cache(namespace),
    cacheDir: context.directories.cache,
    tool: findToolFiles(context.toolVersion),
    pool,
    environment: context.env,
    downloadPackage: (name, version, options) => downloadPackage({ name, version, env: context.env }, options),
    onStep: (text) => context.reporter.step(text),
    onWarning: (text) => context.reporter.warn(text),
    signal: context.signal,
  };
}

interface Delivery {
  readonly packed: readonly Packed[];
  readonly names: readonly string[];
  readonly isPush: boolean;
  readonly store: Store;
  readonly context: Context;
}

interface Delivered {
  readonly descriptor: Descriptor;
  readonly results: readonly CopyResult[];
}

/** Pushes first, so that a new weight is hashed while it is sent; then the store learns of the image. */
async function deliver(delivery: Delivery): Promise<Delivered> {
  const { names, isPush, context, store } = delivery;
  const results: CopyResult[] = [];
  for (const name of isPush ? names.filter((text) => parseLocation(text).kind === "registry") : []) {
    context.reporter.step(`pushing ${name}`);
    await using place = await openForWriting(name, context);
    results.push(...(await pushAll(delivery, place.sink, place.reference)));
  }
  const descriptor = await keep(delivery, names.map((name) => referenceOf(name)), store);
  return { descriptor, results };
}

async function pushAll({ packed, context }: Delivery, sink: Sink, to: Reference): Promise<readonly CopyResult[]> {
  const results: CopyResult[] = [];
  for (const { image, base } of packed) {
    const labels = new Map<Layer, string>(image.layers.map(({ layer, label }) => [layer, label]));
    const isSameRegistry = base.mountFrom?.registry === to.registry;
    const result = await pushImage(image.image, sink, {
      to: packed.length === 1 ? [to] : [],
      mountFrom: isSameRegistry && base.mountFrom !== undefined ? [base.mountFrom] : [],
      labelOf: (layer) => labels.get(layer),
      onProgress: (progress) => context.reporter.blob(progress),
      signal: context.signal,
    });
    results.push(result);
  }
  if (packed.length > 1) await tagIndex(packed, sink, [to]);
  return results;
}

/** Puts manifests and configs into the store; layers are there already, as blobs or by recipe, and the base's stay where they are. */
async function keep({ packed }: Delivery, references: readonly Reference[], store: Store): Promise<Descriptor> {
  for (const { image } of packed) {
    const [config, manifest] = [await image.image.rawConfig(), await image.image.rawManifest()];
    await store.put((await manifestOf(image.image)).config, oneChunk(config));
    const descriptor = await imageDescriptor(image.image);
    await store.put(descriptor, oneChunk(manifest));
    if (packed.length > 1) continue;
    for (const reference of references) await store.tag(descriptor, reference);
    return descriptor;
  }
  return tagIndex(packed, store, references);
}

async function tagIndex(packed: readonly Packed[], sink: Sink, to: readonly Reference[]): Promise<Descriptor> {
  const entries = await Promise.all(packed.map(async ({ image }) => ({ descriptor: await imageDescriptor(image.image), platform: image.platform })));
  const { bytes, descriptor } = createIndex(entries);
  await sink.put(descriptor, oneChunk(bytes));
  for (const reference of to) await sink.tag(descriptor, reference);
  return descriptor;
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function report(context: Context, about: Delivered & { readonly names: readonly string[]; readonly isPush: boolean; readonly startedAt: number }): void {
  const { descriptor, results, names } = about;
  const tookMs = performance.now() - about.startedAt;
  const sum = (pick: (result: CopyResult) => number): number => results.reduce((total, result) => total + pick(result), 0);
  const [sent, mounted, skipped] = [sum((result) => result.bytesUploaded), sum((result) => result.bytesMounted), sum((result) => result.bytesSkipped)];
  const { reporter } = context;
  if (results.length > 0) reporter.line(`packed and pushed in ${formatDuration(tookMs)}: ${formatBytes(sent)} sent, ${formatBytes(mounted)} mounted, ${formatBytes(skipped)} already there`);
  else reporter.line(`packed in ${formatDuration(tookMs)}`);
  for (const name of names) reporter.line(about.isPush ? pinnedName(name, descriptor) : `${name} ${descriptor.digest}`);
  reporter.result({ names, digest: descriptor.digest, mediaType: descriptor.mediaType, isPushed: results.length > 0, bytesUploaded: sent, bytesMounted: mounted, bytesSkipped: skipped, seconds: Math.round(tookMs) / 1000 });
}

function namesOf(flags: PackFlags, { file, project }: LoadedProject): readonly string[] {
  const names = flags.tag ?? (file.image === undefined ? [`store:${project.name}`] : [file.image]);
  for (const name of names) referenceOf(name);
  if (flags.push === true && !names.some((name) => parseLocation(name).kind === "registry")) {
    throw new ToolError("USAGE", "pack --push: no name is in a registry", { hint: "name one: -t HOST/REPOSITORY:TAG, or image: in slipway.yaml" });
  }
  return names;
}

function referenceOf(name: string): Reference {
  const location = parseLocation(name);
  if (location.kind === "registry" || location.kind === "store") return location.reference;
  throw new ToolError("USAGE", `name the image "${name}": it is neither a registry's name nor store:NAME`, { hint: "use --output for folders, archives and engines" });
}

function baseOf(flags: PackFlags, { file }: LoadedProject): string {
  const base = flags.base ?? file.base;
  if (base !== undefined) return base;
  throw new ToolError("USAGE", "pack: no base image is named", { hint: "make one with `slipway base debian --include python3 --name pybase`, then pass `--base store:pybase`" });
}

function parseOutput(text: string): string {
  const match = /^(oci|oci-archive|docker-archive|docker-daemon|podman)=(.+)$/s.exec(text);
  if (match === null) throw new ToolError("USAGE", `pack --output "${text}": it is not TYPE=PATH`, { hint: "TYPE is oci, oci-archive, docker-archive, docker-daemon or podman" });
  return `${match[1]}:${match[2]}`;
}

function parseEnv(entries: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    entries.map((entry) => {
      const equals = entry.indexOf("=");
      if (equals <= 0) throw new ToolError("USAGE", `pack --env "${entry.slice(0, 40)}": it is not NAME=VALUE`);
      return [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}
