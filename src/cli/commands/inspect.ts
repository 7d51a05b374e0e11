import { ProjectError } from "../../ground/errors/index.ts";
import {
  describePath,
  inspectImage,
  isModelPath,
  readManifest,
  type ImageConfig,
  type SeenManifest,
} from "../../app/index.ts";
import { formatPlatform, isForeignLayer, historyOf, modelOf } from "../../app/shown/index.ts";
import type { Cli, Run } from "../cli.ts";
import { formatBytes, formatTable, shortDigest } from "../render/format.ts";
import { configLines, modelLines } from "../render/image.ts";
import { describedData, describedLines } from "../render/model.ts";

/** `slipway inspect`. */
export const inspect: Run<"inspect"> = async ({ isRaw = false, ...request }, cli) => {
  if (await isModelPath(request.name, cli.session)) return inspectModel(request.name, cli);
  return isRaw ? printRaw(request, cli) : showImage(request, cli);
};

/** Describes a model. One that lacks a part is an error, after all that could be said of it. */
async function inspectModel(path: string, { session, reporter }: Cli): Promise<void> {
  const described = await describePath(path, session);
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

type Request = Parameters<typeof inspectImage>[0];

async function showImage(request: Request, { session, reporter }: Cli): Promise<void> {
  const { name, descriptor, sizeBytes, manifests } = await inspectImage(request, session);
  reporter.line(`${name}`);
  reporter.line(`  digest      ${descriptor.digest}`);
  reporter.line(`  media type  ${descriptor.mediaType}`);
  reporter.line(`  size        ${formatBytes(sizeBytes)}`);
  for (const seen of manifests) for (const line of manifestLines(seen)) reporter.line(line);
  reporter.result({
    name,
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    size: sizeBytes,
    manifests: manifests.map(manifestData),
  });
}

/** Exactly the bytes: hashing them gives the digest. In JSON mode they come as text. */
async function printRaw(request: Request, { session, reporter, isJson }: Cli): Promise<void> {
  const { descriptor, bytes } = await readManifest(request, session);
  if (isJson)
    reporter.result({
      digest: descriptor.digest,
      mediaType: descriptor.mediaType,
      raw: Buffer.from(bytes).toString("utf8"),
    });
  else process.stdout.write(bytes);
}

function manifestLines({
  descriptor,
  manifest,
  config,
  platform,
}: SeenManifest): readonly string[] {
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

function manifestData({
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
    config: config === undefined ? undefined : configData(config),
    model: config === undefined ? undefined : modelOf(config),
  };
}

function configData({
  created,
  config,
  architecture,
  os,
  variant,
}: ImageConfig): Readonly<Record<string, unknown>> {
  return { created, architecture, os, variant, ...config };
}
