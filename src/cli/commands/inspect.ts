import type { Command } from "commander";
import {
  formatPlatform,
  isForeignLayer,
  isIndexType,
  MAX_MANIFEST_BYTES,
  parseIndex,
  parsePlatform,
  readVerified,
  selectPlatform,
  type Descriptor,
  type ImageConfig,
} from "../../images/oci/index.ts";
import { ProjectError } from "../../ground/errors/index.ts";
import type { Context } from "../../app/context.ts";
import { describedData, describePath } from "../../app/describe/describe-path.ts";
import { isModelPath } from "../../app/places/model-path.ts";
import { manifestsUnder, totalSize, type SeenManifest } from "../../app/places/look.ts";
import { openForReading, type ReadPlace } from "../../app/places/places.ts";
import { addRegistryFlags, withRegistryFlags, type RegistryFlags } from "../registry-flags.ts";
import { formatBytes, formatTable, shortDigest } from "../../app/format.ts";
import { historyOf, modelOf } from "../../app/image-label.ts";
import { configLines, modelLines } from "../render/image.ts";
import { describedLines } from "../render/model.ts";

interface Flags extends RegistryFlags {
  readonly platform?: string;
  readonly raw?: boolean;
}

/** `slipway inspect IMAGE | PATH`. */
export function define(command: Command, context: Context): void {
  addRegistryFlags(command)
    .argument(
      "<image or path>",
      "a model file or folder | store:NAME | HOST/REPOSITORY | oci:DIR | oci-archive:FILE | docker-archive:FILE | docker-daemon:REF | podman:REF",
    )
    .option("--platform <os/arch>", "of a multi-platform image, this one only")
    .option("--raw", "print the bytes of the manifest or index")
    .addHelpText(
      "after",
      "\nA path that exists is described as a model; store: or a host makes it an image.\n\nExample:\n  slipway inspect ./model.onnx\n  slipway inspect store:iris\n  slipway inspect registry.example.com/team/iris:v1 --platform linux/arm64\n  slipway inspect store:iris --raw | sha256sum",
    )
    .action(async (image: string, flags: Flags) =>
      inspect(image, flags, await withRegistryFlags(context, flags, [image])),
    );
}

async function inspect(name: string, flags: Flags, context: Context): Promise<void> {
  if (await isModelPath(name, context)) return await inspectModel(name, context);
  await using place = await openForReading(name, context, { isStoreFirst: true });
  const target = await narrow(place, flags.platform, context);
  if (flags.raw === true) return await printRaw(place, target, context);
  const manifests = await manifestsUnder(place.source, target, context);
  const { reporter } = context;
  reporter.line(`${name}`);
  reporter.line(`  digest      ${target.digest}`);
  reporter.line(`  media type  ${target.mediaType}`);
  reporter.line(`  size        ${formatBytes(totalSize(manifests))}`);
  for (const seen of manifests) for (const line of linesOf(seen)) reporter.line(line);
  reporter.result({
    name,
    digest: target.digest,
    mediaType: target.mediaType,
    size: totalSize(manifests),
    manifests: manifests.map(dataOf),
  });
}

/** Describes a model. One that lacks a part is an error, after all that could be said of it. */
async function inspectModel(path: string, context: Context): Promise<void> {
  const described = await describePath(path, context);
  const { reporter } = context;
  for (const warning of described.detected.warnings) reporter.warn(warning);
  for (const line of describedLines(described)) reporter.line(line);
  reporter.result(describedData(described));
  const { obstacle } = described.detected;
  if (obstacle?.code !== "MODEL_FILE_INVALID") return;
  throw new ProjectError(obstacle.code, `serve "${path}": ${obstacle.why}`, {
    hint: obstacle.hint,
    file: path,
  });
}

async function narrow(
  place: ReadPlace,
  platform: string | undefined,
  context: Context,
): Promise<Descriptor> {
  const target = await place.source.resolve(place.reference, context);
  if (platform === undefined || !isIndexType(target.mediaType)) return target;
  const bytes = await readVerified(place.source.open(target, context), target, {
    maxBytes: MAX_MANIFEST_BYTES,
    signal: context.signal,
  });
  return selectPlatform(parseIndex(bytes), parsePlatform(platform));
}

/** Exactly the bytes: hashing them gives the digest. In JSON mode they come as text. */
async function printRaw(place: ReadPlace, target: Descriptor, context: Context): Promise<void> {
  const bytes = await readVerified(place.source.open(target, context), target, {
    maxBytes: MAX_MANIFEST_BYTES,
    signal: context.signal,
  });
  if (context.isJson)
    context.reporter.result({
      digest: target.digest,
      mediaType: target.mediaType,
      raw: Buffer.from(bytes).toString("utf8"),
    });
  else process.stdout.write(bytes);
}

function linesOf({ descriptor, manifest, config, platform }: SeenManifest): readonly string[] {
  const title =
    platform === undefined
      ? `${manifest.artifactType ?? manifest.config.mediaType} (no image)`
      : formatPlatform(platform);
  const history = config === undefined ? [] : historyOf(config);
  const layers = manifest.layers.map((layer, index) => [
    `    ${index + 1}`,
    shortDigest(layer.digest),
    formatBytes(layer.size),
    mediaName(layer.mediaType),
    history[index] ?? "",
  ]);
  return [
    "",
    title,
    `  digest      ${descriptor.digest}`,
    ...(config === undefined ? [] : configLines(config)),
    ...modelLines(config),
    `  layers      ${manifest.layers.length}`,
    ...formatTable(layers, [0, 2]),
    ...mapLines("annotations", manifest.annotations),
    ...mapLines("labels", unlike(config?.config?.Labels ?? {}, manifest.annotations ?? {})),
  ];
}

/** Tools that know labels only are told the same twice; people are not. */
function unlike(
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(labels).filter(([key, value]) => annotations[key] !== value),
  );
}

const MAX_VALUE = 100;

function mapLines(
  title: string,
  map: Readonly<Record<string, string>> | undefined,
): readonly string[] {
  const entries = Object.entries(map ?? {}).sort();
  if (entries.length === 0) return [];
  return [
    `  ${title}`,
    ...formatTable(
      entries.map(([key, value]) => [
        `    ${key}`,
        value.length > MAX_VALUE
          ? `${value.slice(0, MAX_VALUE)}… (${value.length} characters)`
          : value,
      ]),
    ),
  ];
}

/** The part of a media type that tells layers apart. */
function mediaName(mediaType: string): string {
  const name = /(?:tar|diff)[^/]*$/.exec(mediaType)?.[0] ?? mediaType;
  return isForeignLayer(mediaType) ? `${name} (not distributed)` : name;
}

function dataOf({
  descriptor,
  manifest,
  config,
  platform,
}: SeenManifest): Readonly<Record<string, unknown>> {
  const history = config === undefined ? [] : historyOf(config);
  return {
    digest: descriptor.digest,
    mediaType: manifest.mediaType,
    platform: platform === undefined ? undefined : formatPlatform(platform),
    artifactType: manifest.artifactType,
    layers: manifest.layers.map((layer, index) => ({
      ...layer,
      diffId: config?.rootfs.diff_ids[index],
      createdBy: history[index],
    })),
    annotations: manifest.annotations,
    config: config === undefined ? undefined : factsOf(config),
    model: config === undefined ? undefined : modelOf(config),
  };
}

function factsOf({
  created,
  config,
  architecture,
  os,
  variant,
}: ImageConfig): Readonly<Record<string, unknown>> {
  return { created, architecture, os, variant, ...config };
}
