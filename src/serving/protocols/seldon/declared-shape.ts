import { shapeText } from "../../../models/tensor/index.ts";
import type { ComponentRequest } from "../../plane/index.ts";
import { isList, isObject, JsonNumber, type JsonObject } from "../json/index.ts";
import { badData } from "./seldon-error.ts";

/** Axes that metadata declares for the only input, each a length or -1; undefined when it declares none, or several inputs. */
export function declaredAxes(metadata: JsonObject): readonly number[] | undefined {
  const inputs = metadata.get("inputs");
  const [input, ...others] = isList(inputs) ? inputs : [];
  if (!isObject(input) || others.length > 0) return undefined;
  const schema = input.get("schema");
  const shape = isObject(schema) ? schema.get("shape") : input.get("shape");
  return isList(shape)
    ? shape.map((axis) => (axis instanceof JsonNumber ? Number(axis.text) : -1))
    : undefined;
}

/**
 * Holds the array of a prediction against declared axes. Axes before them are those of a batch: `[4]` is declared for rows of four, and so is
 * `[1,4]`, whose first axis says how one row looks.
 * @throws SeldonError 400 naming both shapes
 */
export function checkDeclared(
  { method, messages }: ComponentRequest,
  axes: readonly number[],
): void {
  const payload = messages[0]?.payload;
  if (method !== "predict" || payload?.kind !== "tensor") return;
  const { shape } = payload.tensor;
  const last = shape.slice(shape.length - axes.length);
  const isFree = (axis: number | undefined, index: number): boolean =>
    axis === -1 || (axis === 1 && index === 0 && axes.length > 1);
  const isFit =
    shape.length >= axes.length &&
    last.every((length, index) => isFree(axes[index], index) || axes[index] === length);
  if (!isFit)
    throw badData(
      `Invalid request: the array has shape ${shapeText(shape)}, and the model's metadata declares ${shapeText(axes)}`,
    );
}
