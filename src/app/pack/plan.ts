import type { Layer } from "../../images/oci/index.ts";
import type { BaseImage, PackedImage, PackProject, PlannedLayer } from "../../images/pack/index.ts";
import type { Detail } from "../../models/kinds/index.ts";
import { formatBytes, formatTable, shortDigest } from "../format.ts";
import type { PushForecast } from "./forecast.ts";

/** What a plan tells of a project. */
export interface PlannedProject {
  readonly project: Pick<PackProject, "name" | "kind" | "contract">;
  readonly detected: {
    readonly chosen: { readonly label: string };
    readonly details: Readonly<Record<string, Detail>>;
  };
}

/** One image of a plan. */
export interface PlannedImage {
  readonly image: PackedImage;
  readonly base: BaseImage;
}

export interface PlanReport {
  readonly loaded: PlannedProject;
  readonly images: readonly PlannedImage[];
  /** What pushes would do, one for each name in a registry. */
  readonly forecasts: readonly PushForecast[];
}

/** The plan for people: one table an image, and below it what it comes to. */
export function planLines({ loaded, images, forecasts }: PlanReport): readonly string[] {
  const [forecast] = forecasts;
  const tables = images.flatMap((planned, index) => [
    ...(index === 0 ? [] : [""]),
    ...imageLines(planned, loaded, forecast),
  ]);
  return [...tables, ...forecasts.flatMap(forecastLines)];
}

function imageLines(
  { image, base }: PlannedImage,
  { project, detected }: PlannedProject,
  forecast: PushForecast | undefined,
): readonly string[] {
  const { os, architecture } = image.platform;
  const table = [
    ["#", "layer", "size", "digest", "state", forecast?.fates === undefined ? "" : "push"],
    ...image.layers.map((layer, index) => [
      `${index + 1}`,
      layer.label,
      formatBytes(layer.size),
      layer.digest === undefined ? "when it is read" : shortDigest(layer.digest),
      layer.state,
      forecast?.fates?.get(layer.layer) ?? "",
    ]),
  ];
  const size = image.layers.reduce((sum, layer) => sum + layer.size, 0);
  const states = (["base", "cached", "new"] as const).flatMap((state) =>
    countOf(image.layers, state),
  );
  return [
    `${project.name} for ${os}/${architecture}: ${detected.chosen.label}, ${project.contract} contract`,
    `on ${base.name} (${baseWords(base)})`,
    ...formatTable(table, [0, 2]).map((line) => `  ${line}`),
    `  ${image.layers.length} layers, ${formatBytes(size)}: ${states.join(", ")}`,
  ];
}

function baseWords({ digest, facts }: BaseImage): string {
  const { python, glibc } = facts;
  return [
    shortDigest(digest),
    ...(python === undefined ? [] : [`Python ${python.version}`]),
    ...(glibc === undefined ? [] : [`glibc ${glibc}`]),
  ].join(", ");
}

const WORDS = { base: "of the base", cached: "cached", new: "new" } as const;

function countOf(layers: readonly PlannedLayer[], state: PlannedLayer["state"]): readonly string[] {
  const count = layers.filter((layer) => layer.state === state).length;
  return count === 0 ? [] : [`${count} ${WORDS[state]}`];
}

function forecastLines({
  name,
  fates,
  sentBytes,
  mountedBytes,
  skippedBytes,
  isExact,
}: PushForecast): readonly string[] {
  if (fates === undefined) return [`${name} cannot be asked what it has`];
  const words = `a push to ${name} sends ${formatBytes(sentBytes)}, mounts ${formatBytes(mountedBytes)} and finds ${formatBytes(skippedBytes)}`;
  return [
    isExact
      ? words
      : `${words}; files that were never read count as new, config and manifest come on top`,
  ];
}

/** The plan for programs. */
export function planData({
  loaded,
  images,
  forecasts,
}: PlanReport): Readonly<Record<string, unknown>> {
  const { name, kind, contract } = loaded.project;
  const fatesOf = (layer: Layer): unknown => forecasts.map(({ fates }) => fates?.get(layer))[0];
  return {
    name,
    kind,
    contract,
    model: loaded.detected.chosen.label,
    details: loaded.detected.details,
    images: images.map(({ image, base }) => ({
      platform: `${image.platform.os}/${image.platform.architecture}`,
      base: {
        name: base.name,
        digest: base.digest,
        python: base.facts.python?.version,
        glibc: base.facts.glibc,
      },
      layers: image.layers.map(({ label, kind: layerKind, size, digest, state, layer }) => ({
        label,
        kind: layerKind,
        size,
        digest,
        state,
        push: fatesOf(layer),
      })),
    })),
    pushes: forecasts.map(({ fates, ...rest }) => ({ ...rest, isAnswered: fates !== undefined })),
  };
}
