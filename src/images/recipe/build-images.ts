import {
  annotate,
  appendLayers,
  mutateConfig,
  toOci,
  type HistoryEntry,
  type ImageConfig,
  type LayerAddition,
} from "../oci/index.ts";
import { explainFullDisk } from "../../ground/errors/index.ts";
import { applyConfigChange } from "./apply-config.ts";
import type { BaseImage } from "./base-image.ts";
import type { PackContext } from "./context.ts";
import { plannedLayer, withBaseLayers } from "./layers/planned-layers.ts";
import { pythonPackageLayers } from "./layers/python-layers.ts";
import { smallLayer, type SmallLayerContext } from "./layers/small-layer.ts";
import { entryLayer, nodeLayer, onnxRuntimeLayer, serverLayer } from "./layers/tool-layers.ts";
import { weightLayer, type WeightLayerContext } from "./layers/weight-layer.ts";
import type { PackedImage, PlannedLayer } from "./packed-image.ts";
import type {
  FilesStep,
  ImageRecipe,
  MadeStep,
  RecipeStep,
  ToolStep,
  WeightsStep,
} from "./recipe.ts";

/** A recipe, and the base that it was made for. */
export interface ImageOrder {
  readonly recipe: ImageRecipe;
  readonly base: BaseImage;
}

/**
 * Makes one image of each order. Large files are planned, not copied; what is small is made once and kept in the store; layers of
 * the same content are the same layer in every image. The same order and tool give the same image.
 * @returns one image for each order, in order.
 * @throws ToolError `FILE_CHANGED`, `FILE_REFUSED`, `BASE_UNSUITABLE`, `LAYER_LIMIT`, `REQUIREMENT_WITHOUT_WHEEL`, `LIBRARY_MISSING`,
 * `RUNTIME_MISSING`, `TOOL_MISSING`, `UNSUPPORTED`, `DISK_FULL`.
 */
export async function buildImages(
  orders: readonly ImageOrder[],
  context: PackContext,
): Promise<readonly PackedImage[]> {
  const made: WeightLayerContext["made"] = new Map();
  const images: PackedImage[] = [];
  try {
    for (const { recipe, base } of orders) {
      const { epochS } = recipe;
      const layers = { ...context, cache: context.cache("layers"), epochS };
      const weights = { ...context, epochS, made };
      images.push(await buildImage(recipe, base, { context, layers, weights }));
    }
  } catch (error) {
    throw explainFullDisk(error, context.cacheDir); // the store names its own folder
  }
  return images;
}

/** What steps are made with. */
interface Workshop {
  readonly context: PackContext;
  readonly layers: SmallLayerContext;
  readonly weights: WeightLayerContext;
}

/** A layer of an image with its line of history, or a line alone. */
interface BuiltStep {
  readonly planned?: PlannedLayer | undefined;
  readonly history: HistoryEntry;
}

async function buildImage(
  recipe: ImageRecipe,
  base: BaseImage,
  workshop: Workshop,
): Promise<PackedImage> {
  const created = timeOf(recipe.epochS);
  const built: BuiltStep[] = [];
  for (const step of recipe.steps) {
    if (step.kind === "history") {
      built.push({ history: { created, created_by: step.createdBy, empty_layer: true } });
      continue;
    }
    for (const planned of await buildLayers(step, base, workshop)) {
      const createdBy = "createdBy" in step ? step.createdBy : undefined;
      const history = { created, created_by: createdBy ?? `${recipe.tool}: ${planned.label}` };
      built.push({ planned, history });
    }
  }
  const added = built.flatMap(({ planned }) => planned ?? []);
  const layers = await withBaseLayers(base, added, workshop.context.signal);
  const image = mutateConfig(appendLayers(toOci(base.image), additionsOf(built)), (config) =>
    applyConfigChange(withHistory(config, built), recipe.config, created),
  );
  return { platform: base.platform, image: annotate(image, recipe.annotations), layers };
}

/** The layers of one step, lowest first. */
async function buildLayers(
  step: Exclude<RecipeStep, { readonly kind: "history" }>,
  base: BaseImage,
  workshop: Workshop,
): Promise<readonly PlannedLayer[]> {
  switch (step.kind) {
    case "files":
      return [await filesLayer(step, workshop)];
    case "weights":
      return [await weightsLayer(step, workshop)];
    case "python":
      return pythonPackageLayers(step.packages, base, workshop.context);
    case "tool":
      return [await toolLayer(step, base, workshop)];
    case "made":
      return [madeLayer(step)];
  }
}

async function filesLayer(
  { label, role, entries }: FilesStep,
  { layers }: Workshop,
): Promise<PlannedLayer> {
  return plannedLayer(label, role, await smallLayer(entries, layers));
}

async function weightsLayer(
  { label, role, entries }: WeightsStep,
  { weights }: Workshop,
): Promise<PlannedLayer> {
  const layer = await weightLayer(entries, label, weights);
  const known = await layer.known();
  return {
    label,
    kind: role,
    state: known === undefined ? "new" : "cached",
    size: layer.size,
    layer,
    ...(known === undefined ? {} : { digest: known.digest }),
  };
}

async function toolLayer(
  { tool }: ToolStep,
  base: BaseImage,
  { context, layers }: Workshop,
): Promise<PlannedLayer> {
  switch (tool) {
    case "node":
      return plannedLayer(
        `Node ${base.platform.architecture}`,
        "node",
        await nodeLayer(base, context, layers),
      );
    case "server":
      return plannedLayer("slipway server", "server", await serverLayer(base, context, layers));
    case "boot":
      return plannedLayer(
        "model fetcher",
        "server",
        await entryLayer("boot.mjs", base, { context, layers }),
      );
    case "exporter":
      return plannedLayer(
        "model exporter",
        "server",
        await entryLayer("exporter.mjs", base, { context, layers }),
      );
    case "onnxruntime":
      return plannedLayer(
        "ONNX Runtime",
        "onnxruntime",
        await onnxRuntimeLayer(base, context, layers),
      );
  }
}

function madeLayer({ label, role, layer, state, size, digest }: MadeStep): PlannedLayer {
  return { label, kind: role, state, size, layer, digest };
}

function additionsOf(built: readonly BuiltStep[]): readonly LayerAddition[] {
  return built.flatMap(({ planned, history }) =>
    planned === undefined ? [] : [{ layer: planned.layer, history }],
  );
}

/** The config with lines of history that made no layer, among those that did. */
function withHistory(config: ImageConfig, built: readonly BuiltStep[]): ImageConfig {
  const layers = built.filter(({ planned }) => planned !== undefined).length;
  if (layers === built.length) return config;
  const before = config.history ?? [];
  return {
    ...config,
    history: [...before.slice(0, before.length - layers), ...built.map(({ history }) => history)],
  };
}

/** RFC 3339 of seconds since the epoch. */
export function timeOf(epochS: number): string {
  return new Date(epochS * 1000).toISOString().replace(/\.000Z$/, "Z");
}
