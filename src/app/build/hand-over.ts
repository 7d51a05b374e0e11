import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ProcessError, ToolError } from "../../ground/errors/index.ts";
import { writeBehind } from "../../ground/bytes/index.ts";
import { createTempDir, run } from "../../ground/process/index.ts";
import { gzipPinned } from "../../images/compress/index.ts";
import type { ExecutedLayer, Handover } from "../../images/dockerfile/index.ts";
import {
  isDigest,
  manifestOf,
  MEDIA_TYPES,
  uncompressed,
  type Descriptor,
  type Digest,
  type Image,
  type Layer,
} from "../../images/oci/index.ts";
import type { PackContext } from "../../images/recipe/index.ts";
import type { Places, Surroundings } from "../session.ts";
import { openBuilder, type OpenBuilder } from "./builder-images.ts";
import { findBuilder, type Builder, type BuilderKind } from "./find-builder.ts";

/** What handing steps over needs besides the steps. */
export interface HandoverOptions {
  readonly session: Places & Surroundings;
  readonly pack: PackContext;
  /** Absolute build context, and the ignore file that applies to it. */
  readonly folder: string;
  readonly ignoreFile: string | undefined;
  /** `id=NAME,src=FILE`, as the user wrote them. */
  readonly secrets: readonly string[];
  readonly prefer: BuilderKind | undefined;
  /** False to run steps again that were run before. */
  readonly usesCache: boolean;
}

/**
 * Has steps run by the first builder that is there, and takes what they changed as layers into the store. Steps that were run before on
 * the same image are not run again, unless they read the build context.
 * @throws ToolError `ENGINE_MISSING` when there is no builder; `ENGINE_FAILED` with the builder's last lines.
 */
export async function handOver(
  handover: Handover,
  options: HandoverOptions,
): Promise<readonly ExecutedLayer[]> {
  const { session, pack } = options;
  const cache = pack.cache("executed-steps");
  const key = readsContext(handover) ? undefined : await keyOf(handover, options);
  const known =
    key === undefined || !options.usesCache ? undefined : parseRecord(await cache.get(key));
  if (known !== undefined && (await haveAll(known.layers, pack))) {
    session.emit({
      kind: "step",
      text: `${handover.reason}: taken from an earlier run by ${known.builder}`,
    });
    return known.layers.map((layer) => storedLayer(layer, pack));
  }
  const builder = await findBuilder(options.prefer, session);
  const name = `${builder.kind} ${builder.version}`;
  session.emit({ kind: "step", text: `${handover.reason}: handing it over to ${name}` });
  const layers = await execute(handover, builder, options);
  if (key !== undefined) await cache.set(key, { builder: name, layers });
  return layers.map((layer) => storedLayer(layer, pack));
}

/** A layer in the store, by what is written down of it. */
interface LayerRecord {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

async function execute(
  handover: Handover,
  builder: Builder,
  options: HandoverOptions,
): Promise<readonly LayerRecord[]> {
  const { session, pack } = options;
  await using folder = await createTempDir("slipway-build");
  await using opened = openBuilder(builder, { folder: folder.path, session });
  const base = handover.image === undefined ? "scratch" : await opened.give(handover.image);
  const others: string[] = [];
  for (const [name, image] of handover.images)
    others.push(`FROM ${await opened.give(image)} AS ${name}`);
  const file = join(folder.path, "Dockerfile");
  await writeFile(file, [...others, `FROM ${base}`, ...handover.lines, ""].join("\n"));
  const result = await build(handover, opened, { ...options, file, work: folder.path });
  const below = handover.image === undefined ? [] : await diffIdsOf(handover.image, session);
  return await keepNew(await opened.take(result), below, pack);
}

interface BuildPlace extends HandoverOptions {
  readonly file: string;
  readonly work: string;
}

/** @returns the name that the builder has the result under. */
async function build(handover: Handover, opened: OpenBuilder, place: BuildPlace): Promise<string> {
  const { session, file, work } = place;
  const empty = join(work, "empty");
  await mkdir(empty);
  if (place.ignoreFile !== undefined)
    await writeFile(`${file}.dockerignore`, await readFile(place.ignoreFile));
  const name = `localhost/slipway-build:${createHash("sha256").update(work).digest("hex").slice(0, 16)}`;
  const env: Record<string, string> = {};
  const args = [...handover.buildArgs].flatMap(([arg, value]) => {
    if (!isFreeName(arg, session)) return ["--build-arg", `${arg}=${value}`];
    env[arg] = value;
    return ["--build-arg", arg];
  });
  const command = opened.buildCommand({
    file,
    name,
    args: [...args, ...place.secrets.flatMap((secret) => ["--secret", secret])],
    ignoreFile: place.ignoreFile === undefined ? undefined : `${file}.dockerignore`,
    context: readsContext(handover) ? place.folder : empty,
  });
  try {
    await run(command, {
      signal: session.signal,
      extraEnv: { ...env, ...opened.env },
      maxOutputBytes: 2 ** 30,
      onStdout: () => undefined,
    });
  } catch (error) {
    if (!(error instanceof ProcessError)) throw error;
    const lines = error.stderrTail.trim().split("\n").slice(-8).join("\n");
    throw new ToolError("ENGINE_FAILED", `${opened.kind} could not run it:\n${lines}`, {
      cause: error,
    });
  }
  return name;
}

/** A variable that the builder's own program would take for its own is passed in words. */
function isFreeName(name: string, { environment: env }: Surroundings): boolean {
  return (
    env[name] === undefined &&
    !/^(?:PATH|HOME|USER|TMPDIR|LANG|LC_|LD_|XDG_|DOCKER_|BUILDAH_|BUILDKIT_|BUILDX_|STORAGE_|CONTAINERS?_|REGISTRY_|GO|SSL_|SSH_)/.test(
      name,
    ) &&
    !/proxy$/i.test(name)
  );
}

/** True for steps that see files which are no part of the image. */
function readsContext({ lines }: Handover): boolean {
  return lines.some((line) => /--mount=|^ADD\s/.test(line));
}

async function diffIdsOf(image: Image, session: Places & Surroundings): Promise<readonly Digest[]> {
  const layers = await image.layers(session);
  return Promise.all(layers.map((layer) => layer.diffId(session)));
}

/** Layers that stand above those of the image that was given, compressed and put into the store. */
async function keepNew(
  image: Image,
  below: readonly Digest[],
  pack: PackContext,
): Promise<readonly LayerRecord[]> {
  const [layers, manifest] = await Promise.all([image.layers(pack), manifestOf(image, pack)]);
  const diffIds = await Promise.all(layers.map((layer) => layer.diffId(pack)));
  if (below.some((diffId, index) => diffIds[index] !== diffId))
    throw new ToolError(
      "ENGINE_FAILED",
      "the builder gave an image that does not stand on the one it got",
    );
  const records: LayerRecord[] = [];
  for (const [index, layer] of layers.entries()) {
    const descriptor = manifest.layers[index];
    const diffId = diffIds[index];
    if (index < below.length || descriptor === undefined || diffId === undefined) continue;
    records.push({ diffId, descriptor: await compressLayer(layer, descriptor.mediaType, pack) });
  }
  return records;
}

async function compressLayer(
  layer: Layer,
  mediaType: string,
  pack: PackContext,
): Promise<Descriptor> {
  await using folder = await createTempDir("layer", pack.cacheDir);
  const path = join(folder.path, "layer");
  const hash = createHash("sha256");
  const tar = uncompressed(layer.open(pack), mediaType, pack);
  const compressed = gzipPinned(tar, { pool: pack.pool, signal: pack.signal });
  await using file = await open(path, "w");
  const size = await writeBehind(file, hashed(compressed, hash), { signal: pack.signal });
  const descriptor: Descriptor = {
    mediaType: MEDIA_TYPES.layerTarGzip,
    digest: `sha256:${hash.digest("hex")}`,
    size,
  };
  await pack.store.put(descriptor, createReadStream(path, { highWaterMark: 2 ** 20 }), pack);
  return descriptor;
}

async function* hashed(
  bytes: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
}

function storedLayer({ descriptor, diffId }: LayerRecord, { store }: PackContext): ExecutedLayer {
  return {
    mediaType: descriptor.mediaType,
    size: descriptor.size,
    layer: {
      descriptor: () => Promise.resolve(descriptor),
      diffId: () => Promise.resolve(diffId),
      open: (options) => store.open(descriptor, options),
    },
  };
}

/** What makes a run of steps the same as an earlier one. Secrets are no part of it, as with other builders. */
async function keyOf(handover: Handover, { session }: HandoverOptions): Promise<string> {
  const digestOf = async (image: Image): Promise<readonly string[]> => diffIdsOf(image, session);
  const content = {
    base: handover.image === undefined ? [] : await digestOf(handover.image),
    platform: handover.platform,
    lines: handover.lines,
    args: [...handover.buildArgs].sort(([one], [other]) => (one < other ? -1 : 1)),
    env: handover.environment,
  };
  return `executed 2 ${createHash("sha256").update(JSON.stringify(content)).digest("hex")}`;
}

async function haveAll(
  layers: readonly LayerRecord[],
  { store, signal }: PackContext,
): Promise<boolean> {
  for (const { descriptor } of layers) if (!(await store.has(descriptor, { signal }))) return false;
  return true;
}

/** The cache is our own; a record of another shape is made again. */
function parseRecord(
  value: unknown,
): { readonly builder: string; readonly layers: readonly LayerRecord[] } | undefined {
  const record = (value ?? {}) as { readonly builder?: unknown; readonly layers?: unknown };
  if (typeof record.builder !== "string" || !Array.isArray(record.layers)) return undefined;
  const isWhole = record.layers.every((layer: unknown) => {
    const { diffId, descriptor } = (layer ?? {}) as Partial<LayerRecord>;
    return isDigest(diffId) && isDigest(descriptor?.digest) && typeof descriptor.size === "number";
  });
  return isWhole ? (record as ReturnType<typeof parseRecord>) : undefined;
}
