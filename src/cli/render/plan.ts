import type { ImageResult, LayerResult, PlanResult, PushForecast } from "../../app/index.ts";
import { conversionLine } from "./export.ts";
import { formatBytes, formatTable, shortDigest } from "./format.ts";

/** The plan for people: one table an image, and below it what it comes to. */
export function planLines(plan: PlanResult): readonly string[] {
  const tables = plan.images.flatMap((image, index) => [
    ...(index === 0 ? [] : [""]),
    ...imageLines(image, plan),
  ]);
  const { conversion } = plan;
  const converted = conversion === undefined ? [] : [conversionLine(conversion)];
  return [...tables, ...converted, ...plan.pushes.flatMap(forecastLines)];
}

function imageLines(
  { platform, base, layers }: ImageResult,
  { name, model, pushes: [push] }: PlanResult,
): readonly string[] {
  const table = [
    ["#", "layer", "size", "digest", "state", push?.isAnswered === true ? "push" : ""],
    ...layers.map((layer, index) => [
      `${index + 1}`,
      layer.label,
      formatBytes(layer.size),
      layer.digest === undefined ? "when it is read" : shortDigest(layer.digest),
      layer.state,
      layer.push ?? "",
    ]),
  ];
  const size = layers.reduce((sum, layer) => sum + layer.size, 0);
  const states = (["base", "cached", "new"] as const).flatMap((state) => countOf(layers, state));
  return [
    `${name} for ${platform}: ${model.label}, ${model.contract} contract`,
    `on ${base.name} (${baseWords(base)})`,
    ...formatTable(table, [0, 2]).map((line) => `  ${line}`),
    `  ${layers.length} layers, ${formatBytes(size)}: ${states.join(", ")}`,
  ];
}

function baseWords({ digest, python, glibc }: ImageResult["base"]): string {
  return [
    shortDigest(digest),
    ...(python === undefined ? [] : [`Python ${python}`]),
    ...(glibc === undefined ? [] : [`glibc ${glibc}`]),
  ].join(", ");
}

const WORDS = { base: "of the base", cached: "cached", new: "new" } as const;

function countOf(layers: readonly LayerResult[], state: LayerResult["state"]): readonly string[] {
  const count = layers.filter((layer) => layer.state === state).length;
  return count === 0 ? [] : [`${count} ${WORDS[state]}`];
}

function forecastLines({
  name,
  isAnswered,
  sentBytes,
  mountedBytes,
  skippedBytes,
  isExact,
}: PushForecast): readonly string[] {
  if (!isAnswered) return [`${name} cannot be asked what it has`];
  const words = `a push to ${name} sends ${formatBytes(sentBytes)}, mounts ${formatBytes(mountedBytes)} and finds ${formatBytes(skippedBytes)}`;
  return [
    isExact
      ? words
      : `${words}; files that were never read count as new, config and manifest come on top`,
  ];
}

/** The plan for programs. */
export function planData({
  name,
  model: { label, details, ...model },
  images,
  pushes,
  conversion,
}: PlanResult): Readonly<Record<string, unknown>> {
  return {
    name,
    ...model,
    model: label,
    details,
    images: images.map(({ platform, base, layers }) => ({ platform, base, layers })),
    pushes,
    ...(conversion !== undefined && { conversion }),
  };
}
