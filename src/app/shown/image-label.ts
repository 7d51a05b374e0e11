import { stripControls } from "../../ground/errors/index.ts";
import type { ImageConfig } from "../../images/oci/index.ts";

/** What history says of each layer, in the layers' order. */
export function historyOf({ history = [] }: ImageConfig): readonly string[] {
  return history
    .filter((entry) => entry.empty_layer !== true)
    .map((entry) => stripControls(entry.created_by ?? entry.comment ?? "").slice(0, 120));
}

/** What the label of an image that this tool packed says of its model. */
export interface ModelLabel {
  readonly name?: string;
  readonly kind?: string;
  readonly contract?: string;
  readonly service?: string;
  readonly ports?: { readonly http?: number; readonly grpc?: number; readonly metrics?: number };
  readonly signature?: {
    readonly inputs?: readonly TensorLabel[];
    readonly outputs?: readonly TensorLabel[];
  };
}

/** One tensor of a signature. */
export interface TensorLabel {
  readonly name?: string;
  readonly datatype?: string;
  readonly shape?: readonly number[];
}

/** The model that an image's label describes, or `undefined`. A label that is no such description counts as none. */
export function modelOf(config: ImageConfig): ModelLabel | undefined {
  const text = config.config?.Labels?.["dev.slipway.model"];
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    // Labels are hints for people: every field is optional, and each is checked where it is shown.
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined; // not ours
  }
}
