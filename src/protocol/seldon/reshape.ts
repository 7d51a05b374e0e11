import { elementCount, shapeText, type Tensor } from "../../tensor/index.ts";
import { isList, JsonNumber, type JsonNode } from "../json/index.ts";
import { badInput } from "./seldon-error.ts";

const TYPE_NAMES: readonly (readonly [(node: JsonNode) => boolean, string])[] = [
  [(node) => node === null, "NoneType"],
  [(node) => typeof node === "boolean", "bool"],
  [(node) => typeof node === "string", "str"],
  [isList, "list"],
  [(node) => node instanceof JsonNumber, "float"],
];

/**
 * The shape that a request asks for, with one axis of -1 worked out, as numpy's `reshape` does it.
 * @throws SeldonError 500 with numpy's text
 */
function targetShape(node: JsonNode, count: number): number[] {
  const axes = (isList(node) ? node : [node]).map(axisOf);
  const free = axes.indexOf(-1);
  if (axes.some((axis, index) => axis < 0 && index !== free)) throw badInput(axes.filter((axis) => axis === -1).length > 1 ? "can only specify one unknown dimension" : "negative dimensions not allowed");
  const known = elementCount(axes.map((axis) => Math.max(axis, free < 0 ? 0 : 1)).filter((_, index) => index !== free));
  if (free >= 0 && known > 0 && count % known === 0) axes[free] = count / known;
  if (axes.includes(-1) || elementCount(axes) !== count) throw badInput(`cannot reshape array of size ${count} into shape ${shapeText(axes)}`);
  return axes;
}

function axisOf(node: JsonNode): number {
  if (node instanceof JsonNumber && !node.isFloat) {
    const axis = Number(node.text);
    if (Number.isSafeInteger(axis)) return axis;
    throw badInput("Maximum allowed dimension exceeded");
  }
  const name = TYPE_NAMES.find(([matches]) => matches(node))?.[1] ?? "dict";
  throw badInput(`'${name}' object cannot be interpreted as an integer`);
}

/** @throws SeldonError 500 with numpy's text */
export function reshapeTensor(tensor: Tensor, shape: JsonNode): Tensor {
  return { ...tensor, shape: targetShape(shape, elementCount(tensor.shape)) };
}

/** The same for values that are no numbers: nested lists of the leaves in order. */
export function reshapeNode(values: JsonNode, shape: JsonNode): JsonNode {
  const leaves: JsonNode[] = [];
  collect(values, leaves);
  const axes = targetShape(shape, leaves.length);
  let rows: JsonNode[] = leaves;
  for (const axis of axes.slice(1).toReversed()) {
    if (axis === 0) return [];
    rows = Array.from({ length: rows.length / axis }, (_, index) => rows.slice(index * axis, (index + 1) * axis));
  }
  return axes.length === 0 ? (leaves[0] ?? null) : rows;
}

function collect(node: JsonNode, into: JsonNode[]): void {
  if (isList(node)) for (const item of node) collect(item, into);
  else into.push(node);
}
