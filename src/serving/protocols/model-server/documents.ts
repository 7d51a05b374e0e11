import { isDetector } from "../../../models/answers/index.ts";
import { imageWay, takesImage, type ImageWay } from "../../../models/inputs/index.ts";
import type { TensorSpec } from "../../../models/tensor/index.ts";
import type { PredictorFacts, ServedModel } from "../../plane/index.ts";
import type { Json, Plane } from "../protocol.ts";
import { imageDefaults } from "./prepare-inputs.ts";

/** `GET /info`: the server, and every model that there is. */
export function serverInfo({ models, version }: Plane): Json {
  return { server: { name: "slipway", version }, models: models.models.map(modelInfo) };
}

/** What one model is, takes and gives; only its state while it is not loaded. */
export function modelInfo(model: ServedModel): Json {
  const { name, version, state } = model;
  const about = { name, version, state: model.isReady ? "ready" : state };
  if (state !== "ready") return { ...about, reason: model.reason };
  const facts = model.predictor.describe();
  const { kind, platform, signature, labels = {} } = facts;
  const outputs = signature?.outputs ?? [];
  return {
    ...about,
    ...(kind !== undefined && { kind }),
    platform,
    ...(isDetector(outputs) && { task: "detection" }),
    inputs: (signature?.inputs ?? []).map((spec) => inputInfo(spec, facts)),
    outputs: outputs.map((spec) => ({
      ...specInfo(spec),
      ...(Object.hasOwn(labels, spec.name) && { labels: labels[spec.name] ?? [] }),
    })),
  };
}

function specInfo({ name, datatype, shape }: TensorSpec): { readonly [key: string]: Json } {
  return { name, datatype, shape };
}

/** An input, and how a picture becomes it where one can. */
function inputInfo(spec: TensorSpec, facts: PredictorFacts): Json {
  const { preprocess } = facts;
  const defaults = imageDefaults(facts);
  const isMeant = preprocess?.input === undefined || preprocess.input === spec.name;
  return isMeant && takesImage(spec, preprocess, defaults)
    ? { ...specInfo(spec), image: wayInfo(imageWay(spec, preprocess, defaults)) }
    : specInfo(spec);
}

function wayInfo(way: ImageWay): Json {
  if (way.kind === "encoded") return { encoded: true };
  const { height = -1, width = -1, channels, layout, scale, mean, std, fit, resample } = way.plan;
  return { size: [height, width], channels, layout, scale, mean, std, fit, resample };
}

/** `GET /health`: true when a request made now would reach every model. */
export function healthOf({ models }: Plane): {
  readonly isReady: boolean;
  readonly document: Json;
} {
  const { isReady, reason } = models;
  return {
    isReady,
    document: {
      status: isReady ? "ready" : "not ready",
      ...(!isReady && { reason }),
      models: models.models.map((model) => ({
        name: model.name,
        version: model.version,
        state: model.isReady ? "ready" : model.state,
      })),
    },
  };
}
