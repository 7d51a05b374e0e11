import {
  baseType,
  constAttrs,
  DT,
  dtypeBytes,
  dtypeName,
  makeTensor,
  shapeAttr,
  stringTensor,
  tensorContent,
  tensorStrings,
  typeAttr,
  type Checkpoint,
  type Extent,
  type GraphNode,
  type StreamedTensor,
  type TensorEntry,
} from "../tensorflow/index.ts";
import { variableKey, variableName } from "./body.ts";
import { refuseGraph } from "./refusal.ts";
import type { SavedPlace } from "./restore-map.ts";

/** Gives Const nodes for variables. */
export interface VariableValues {
  /**
   * A Const with the name of the variable's node and its value in the checkpoint.
   * @throws ToolError `UNSUPPORTED` naming the variable when the checkpoint has no such value, `MODEL_FILE_INVALID` when its file is damaged.
   */
  constantFor(node: GraphNode): GraphNode;
  /** Values that are streamed when the graph is written. */
  streamedOf(node: GraphNode): StreamedTensor | undefined;
}

/** Values of a checkpoint's variables. The checkpoint must stay open until the graph was written. */
export function createVariableValues(
  checkpoint: Checkpoint,
  places: ReadonlyMap<string, SavedPlace>,
): VariableValues {
  const streamed = new WeakMap<GraphNode, StreamedTensor>();
  return {
    constantFor(node) {
      const key = variableKey(node);
      const { entry, box } = lookUp({ checkpoint, place: places.get(key) }, variableName(key));
      assertFits(node, { name: variableName(key), entry, box });
      const shape = box.map(({ length }) => length);
      const { dtype } = entry;
      const base = { name: node.name, op: "Const", inputs: [], device: "" };
      if (dtype === DT.string) {
        const value = makeTensor(stringTensor(shape, tensorStrings(entry, box)));
        return { ...base, attrs: constAttrs(dtype, value) };
      }
      const constant: GraphNode = { ...base, attrs: constAttrs(dtype) };
      streamed.set(constant, { dtype, shape, content: tensorContent(entry, box) });
      return constant;
    },
    streamedOf: (node) => streamed.get(node),
  };
}

interface FoundValue {
  readonly entry: TensorEntry;
  readonly box: readonly Extent[];
}

function lookUp(
  {
    checkpoint,
    place,
  }: { readonly checkpoint: Checkpoint; readonly place: SavedPlace | undefined },
  name: string,
): FoundValue {
  if (place === undefined) throw refuseVariable(name, "the graph's saver does not restore it");
  const entry = checkpoint.tensors.get(place.key);
  if (entry === undefined)
    throw refuseVariable(name, `checkpoint "${checkpoint.name}" has no tensor "${place.key}"`);
  if (place.slice === undefined)
    return { entry, box: entry.shape.map((length) => ({ start: 0, length })) };
  const { shape, extents } = place.slice;
  if (!isSameShape(shape, entry.shape))
    throw refuseVariable(
      name,
      `it is a part of shape ${printShape(shape)}, and the checkpoint has ${printShape(entry.shape)}`,
    );
  return { entry, box: extents };
}

/** The type and shape that the graph was built with must be those of the checkpoint. */
function assertFits(
  node: GraphNode,
  { name, entry, box }: FoundValue & { readonly name: string },
): void {
  const dtype = baseType(typeAttr(node.attrs.get("dtype")));
  if (dtype !== entry.dtype)
    throw refuseVariable(
      name,
      `the graph wants ${dtypeName(dtype)}, and the checkpoint has ${dtypeName(entry.dtype)}`,
    );
  if (dtype !== DT.string && dtypeBytes(dtype) === 0)
    throw refuseVariable(name, `values of type ${dtypeName(dtype)} cannot be constants`);
  const wanted = shapeAttr(node.attrs.get("shape"));
  const found = box.map(({ length }) => length);
  if (wanted !== undefined && !isSameShape(wanted, found) && !isUnknownScalar(node, wanted))
    throw refuseVariable(
      name,
      `the graph wants shape ${printShape(wanted)}, and the checkpoint has ${printShape(found)}`,
    );
}

/** The oldest variables say "unknown" as a scalar's shape. */
function isUnknownScalar({ op }: GraphNode, shape: readonly number[]): boolean {
  return op === "Variable" && shape.length === 0;
}

function isSameShape(wanted: readonly number[], found: readonly number[]): boolean {
  return (
    wanted.length === found.length &&
    wanted.every((size, axis) => size === -1 || size === found[axis])
  );
}

/** `[2, ?, 3]` */
function printShape(shape: readonly number[]): string {
  return `[${shape.map((size) => (size === -1 ? "?" : String(size))).join(", ")}]`;
}

function refuseVariable(name: string, why: string): Error {
  return refuseGraph(
    `variable "${name}" has no value: ${why}`,
    "export with the checkpoint and graph of the same training run, or choose outputs that do not need it",
  );
}
