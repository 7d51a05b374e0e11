import type { CodeEntry, ModelKind } from "../description/index.ts";
import type { KindRow } from "./contracts.ts";
import { onnx } from "./onnx/onnx.ts";
import { pickledEstimator } from "./pickle/reader.ts";
import { userClass } from "./user-class.ts";

/** Every kind of model, by name. The order decides nothing but the order of lists in errors. */
const ROWS: Readonly<Record<ModelKind, KindRow>> = {
  class: userClass,
  onnx,
  sklearn: pickledEstimator,
};

/** Every kind of model that is recognised. */
export const KIND_ROWS: readonly KindRow[] = Object.values(ROWS);

/** The row of a kind. */
export function kindRow(kind: ModelKind): KindRow {
  return ROWS[kind];
}

/** What a model is, as far as its runtime depends on it. */
export interface RunnableModel {
  readonly kind: ModelKind;
  readonly code?: Pick<CodeEntry, "language"> | undefined;
}

/**
 * What runs a model: user code decides where there is some, else the kind's row.
 * `none`: the kind is described only.
 */
export function runtimeOf({
  kind,
  code,
}: RunnableModel): "onnx" | "python" | "javascript" | "none" {
  if (code !== undefined) return code.language;
  const { runtime } = ROWS[kind];
  return runtime === "code" ? "python" : runtime;
}
