import {
  functionNames,
  tensorAttr,
  type Extent,
  type GraphFunction,
  type GraphNode,
  type MetaGraph,
} from "../tensorflow/index.ts";
import { WireReader } from "../../ground/wire/index.ts";
import { variableKey, variablesBehind, type Body } from "./body.ts";
import { isChange, VARIABLE_OPS } from "./operations.ts";
import { dataInputs, nodeName, slotNumber } from "./tensor-name.ts";

/** Where a variable's value lies in the checkpoint. */
export interface SavedPlace {
  /** Key in the checkpoint. */
  readonly key: string;
  /** For a part of a partitioned variable: the whole shape and the part's place in it. */
  readonly slice:
    | { readonly shape: readonly number[]; readonly extents: readonly Extent[] }
    | undefined;
}

/**
 * Reads from the graph which key of the checkpoint the saver restores into which variable: names and keys may differ, and a graph may
 * have several savers. Without a saver, variables are saved below their own names.
 * @returns by the variable's key; see `variableKey`.
 */
export function readRestoreMap(meta: MetaGraph): ReadonlyMap<string, SavedPlace> {
  const { saver, graph } = meta;
  if (saver === undefined) return placesByName(meta);
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  const body: Body = { functionName: "", nodes, variableArguments: new Map(), roots: [] };
  const functions = new Map(graph.functions.map((one) => [one.signature.name, one]));
  const places = new Map<string, SavedPlace>();
  const add = (reference: string, place: SavedPlace | undefined): void => {
    if (place === undefined) return;
    for (const variable of variablesBehind(body, reference)) places.set(variable, place);
  };
  for (const node of restoringNodes(nodes, nodeName(saver.restoreOp))) {
    const [target = "", value = ""] = dataInputs(node.inputs);
    const called = functionNames(node.attrs.get("f")).map((name) => functions.get(name))[0];
    if (isChange(node.op)) add(target, placeOf(nodes, value));
    else if (called !== undefined)
      for (const { argument, place } of restoredArguments(called))
        add(node.inputs[argument] ?? "", place);
  }
  return places;
}

/** The assignments, and the calls of functions, that run with the saver's operation. */
function restoringNodes(
  nodes: ReadonlyMap<string, GraphNode>,
  restoreOp: string,
): readonly GraphNode[] {
  const found: GraphNode[] = [];
  const seen = new Set<string>();
  const open = [restoreOp];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const node = nodes.get(name);
    if (node === undefined || seen.has(name)) continue;
    seen.add(name);
    if (isChange(node.op) || node.attrs.has("f")) found.push(node);
    else open.push(...node.inputs.map(nodeName));
  }
  return found;
}

/** TensorFlow 2 restores in a function: what it assigns to which of its arguments. */
function restoredArguments({ signature, nodes }: GraphFunction): readonly {
  readonly argument: number;
  readonly place: SavedPlace | undefined;
}[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const positions = new Map(signature.inputs.map(({ name }, at) => [name, at]));
  return nodes.flatMap(({ op, inputs }) => {
    const [target = "", value = ""] = dataInputs(inputs);
    const argument = positions.get(nodeName(target));
    return op === "AssignVariableOp" && argument !== undefined
      ? [{ argument, place: placeOf(byName, value) }]
      : [];
  });
}

/** Follows an assigned value back to the node that restores it. */
function placeOf(nodes: ReadonlyMap<string, GraphNode>, value: string): SavedPlace | undefined {
  let reference = value;
  for (let hops = 0; hops < 100; hops += 1) {
    const node = nodes.get(nodeName(reference));
    if (node === undefined) return undefined;
    if (node.op !== "Identity" && node.op !== "Reshape")
      return restoredPlace(nodes, node, reference);
    reference = node.inputs[0] ?? "";
  }
  return undefined;
}

/** What a restoring node reads; `undefined` for other nodes. The first version has no slices, the second one a tensor only. */
function restoredPlace(
  nodes: ReadonlyMap<string, GraphNode>,
  { op, inputs }: GraphNode,
  reference: string,
): SavedPlace | undefined {
  if (op !== "Restore" && op !== "RestoreSlice" && op !== "RestoreV2") return undefined;
  const [, names = "", slices = ""] = dataInputs(inputs);
  const slot = op === "RestoreV2" ? slotNumber(reference) : 0;
  const key = stringsOf(nodes.get(nodeName(names)))[slot];
  const spec = op === "Restore" ? "" : (stringsOf(nodes.get(nodeName(slices)))[slot] ?? "");
  return key === undefined ? undefined : { key, slice: parseSliceSpec(spec) };
}

/** Strings of a Const node. */
function stringsOf(node: GraphNode | undefined): readonly string[] {
  const tensor = node?.op === "Const" ? tensorAttr(node.attrs.get("value")) : undefined;
  if (tensor === undefined) return [];
  const reader = new WireReader(tensor);
  const strings: string[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((8 << 3) | 2)) strings.push(reader.string());
    else reader.skip(tag);
  }
  return strings;
}

/** `10 4 0,3:-` is rows 0 to 2 of a 10 x 4 tensor. @see tensorflow, core/util/saved_tensor_slice_util.cc */
function parseSliceSpec(spec: string): SavedPlace["slice"] {
  const words = spec.split(" ");
  const last = words.pop() ?? "";
  if (last === "") return undefined;
  const shape = words.map(Number);
  const extents = last.split(":").map((text, axis): Extent => {
    if (text === "-") return { start: 0, length: shape[axis] ?? 0 };
    const [start = "0", length = "0"] = text.split(",");
    return { start: Number(start), length: Number(length) };
  });
  return { shape, extents };
}

function placesByName({ graph, slices }: MetaGraph): ReadonlyMap<string, SavedPlace> {
  const places = new Map<string, SavedPlace>();
  for (const node of graph.nodes) {
    if (!VARIABLE_OPS.has(node.op)) continue;
    const key = variableKey(node);
    const name = node.op === "VarHandleOp" ? key.slice(key.lastIndexOf("\0") + 1) : node.name;
    const slice = slices.get(node.name);
    places.set(key, slice === undefined ? { key: name, slice } : { key: slice.key, slice });
  }
  return places;
}
