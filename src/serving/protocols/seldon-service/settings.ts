import { USER_CODE_DEFAULTS, type UserCodeSettings } from "../../plane/index.ts";
import type { AnswerSettings } from "../seldon/index.ts";

/** What the Seldon contract's environment says about a node; `parseSeldonEnvironment` reads it. */
export interface SeldonSettings
  extends AnswerSettings, Pick<UserCodeSettings, "isStrict" | "hasTypedArrays"> {
  /** `PAYLOAD_PASSTHROUGH`: predictions go to `predict_raw` as the bytes that came. */
  readonly isPassthrough: boolean;
  /** `MODEL_METADATA`: YAML or JSON. */
  readonly modelMetadata?: string;
  /** `SELDON_EXECUTOR_ENABLED=false` stops counting rewards. */
  readonly countsRewards: boolean;
  /** Predictions whose array is not of the shape that the metadata declares are refused; not with `SLIPWAY_CHECK_SHAPES=0`, and not in strict mode. */
  readonly checksShapes: boolean;
  readonly deploymentName?: string;
  readonly predictorName?: string;
  readonly predictorVersion?: string;
}

export const DEFAULT_SELDON_SETTINGS: SeldonSettings = {
  isStrict: USER_CODE_DEFAULTS.isStrict,
  hasTypedArrays: USER_CODE_DEFAULTS.hasTypedArrays,
  sortKeys: USER_CODE_DEFAULTS.sortKeys,
  asciiOnly: USER_CODE_DEFAULTS.asciiOnly,
  isPassthrough: false,
  countsRewards: true,
  checksShapes: true,
  isPretty: false,
  includeMetrics: true,
};

const UNKNOWN = "NOT_IMPLEMENTED";

/** Labels that every metric of a node carries; several under two names, as in the wrapper. */
export function nodeLabels(settings: SeldonSettings): Readonly<Record<string, string>> {
  const { image, version } = splitImage(settings.unitImage ?? `${UNKNOWN}:${UNKNOWN}`);
  const deployment = settings.deploymentName ?? UNKNOWN;
  return {
    deployment_name: deployment,
    seldon_deployment_name: deployment,
    model_name: settings.unitId ?? UNKNOWN,
    model_image: image,
    image_name: image,
    model_version: version,
    image_version: version,
    predictor_name: settings.predictorName ?? UNKNOWN,
    predictor_version: settings.predictorVersion ?? UNKNOWN,
    worker_id: String(process.pid),
  };
}

/** Splits at the last colon; without one all of it is the version, as in the wrapper. */
export function splitImage(text: string): { readonly image: string; readonly version: string } {
  const colon = text.lastIndexOf(":");
  return { image: text.slice(0, Math.max(colon, 0)), version: text.slice(colon + 1) };
}
