import { elementCount, type Tensor } from "../../../models/tensor/index.ts";
import {
  isList,
  isObject,
  JsonNumber,
  pythonRepr,
  pythonType,
  type JsonNode,
} from "../json/index.ts";
import { badInput } from "./seldon-error.ts";

/**
 * The shape that a request asks for, with one negative axis worked out, as numpy's `reshape` does it.
 * @throws SeldonError 500 with numpy's text
 */
function targetShape(node: JsonNode, own: readonly number[]): number[] {
  if (node === null) return [...own];
  if (isObject(node) || (node instanceof JsonNumber && node.isFloat))
    throw badInput(
      `expected a sequence of integers or a single integer, got '${pythonRepr(node)}'`,
    );
  const count = elementCount(own);
  const asked = (isList(node) ? node : [node]).map(axisOf);
  const free = asked.findIndex((axis) => axis < 0);
  const axes = [...asked];
  if (free >= 0) {
    if (asked.filter((axis) => axis < 0).length > 1)
      throw badInput("can only specify one unknown dimension");
    const known = elementCount(asked.filter((_, index) => index !== free));
    if (known > 0 && count % known === 0) axes[free] = count / known;
  }
  if (axes.some((axis) => axis < 0) || elementCount(axes) !== count)
    throw badInput(`cannot reshape array of size ${count} into shape ${askedText(asked)}`);
  return axes;
}

/** As numpy prints it: an unknown axis is `newaxis`, and not said at the beginning. */
function askedText(axes: readonly number[]): string {
  const first = axes.findIndex((axis) => axis >= 0);
  if (first < 0) return "()";
  const texts = axes.slice(first).map((axis) => (axis < 0 ? "newaxis" : String(axis)));
  return axes.length === 1 ? `(${texts.join(",")},)` : `(${texts.join(",")})`;
}

function axisOf(node: JsonNode): number {
  if (typeof node === "boolean") throw badInput("an integer is required");
  if (node instanceof JsonNumber && !node.isFloat) {
    const axis = Number(node.text);
    if (Math.abs(axis) < 2 ** 63) return axis;
    throw badInput("Maximum allowed dimension exceeded");
  }
  throw badInput(`'${pythonType(node)}' object cannot be interpreted as an integer`);
}

/** @throws SeldonError 500 with numpy's text */
export function reshapeTensor(tensor: Tensor, shape: JsonNode): Tensor {
  return { ...tensor, shape: targetShape(shape, tensor.shape) };
}

/** The same for values that are no numbers: nested lists of the leaves in order. */
export function reshapeNode(values: JsonNode, shape: JsonNode): JsonNode {
  const leaves: JsonNode[] = [];
  collect(values, leaves);
  const axes = targetShape(shape, regularShape(values));
  let rows: JsonNode[] = leaves;
  for (const axis of axes.slice(1).toReversed()) {
    if (axis === 0) return [];
    rows = Array.from({ length: rows.length / axis }, (_, index) =>
      rows.slice(index * axis, (index + 1) * axis),
    );
  }
  return axes.length === 0 ? (leaves[0] ?? null) : rows;
}

/** The shape of nested lists whose rows are all of one length. @throws SeldonError 500 with numpy's text for others */
function regularShape(values: JsonNode): number[] {
  const shape: number[] = [];
  for (let level: readonly JsonNode[] = [values]; level.length > 0 && level.some(isList);) {
    const length = isList(level[0]) ? level[0].length : -1;
    if (!level.every((row) => isList(row) && row.length === length)) {
      const detected = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
      throw badInput(
        `setting an array element with a sequence. The requested array has an inhomogeneous shape after ${shape.length} dimensions. The detected shape was ${detected} + inhomogeneous part.`,
      );
    }
    shape.push(length);
    level = level.flatMap((row) => (isList(row) ? row : []));
  }
  return shape;
}

function collect(node: JsonNode, into: JsonNode[]): void {
  if (isList(node)) for (const item of node) collect(item, into);
  else into.push(node);
}
