import {
  baseType,
  constAttrs,
  DT,
  intAttr,
  makeShapeList,
  makeTensor,
  makeType,
  makeTypeList,
  plainTensor,
  shapeListAttr,
  typeAttr,
  typeListAttr,
  type GraphNode,
} from "../tensorflow/index.ts";
import type { Handles } from "./handles.ts";
import { isPassing, plainOp, VARIABLE_OPS } from "./operations.ts";
import { refuseGraph } from "./refusal.ts";
import { dataInputs, isControl, nodeName } from "./tensor-name.ts";
import type { VariableValues } from "./variable-values.ts";

/** Gives the functions of a calling node their names in the frozen graph, and the types of the results that are handles. */
export interface CallConversion {
  readonly attrs: ReadonlyMap<string, Buffer>;
  /** The operation: a function's name where the node calls it by that. */
  readonly op: string;
  readonly results: readonly (number | undefined)[];
}

/** Converts a node that calls functions; `undefined` for nodes that call none. */
type ConvertCall = (
  node: GraphNode,
  inputs: readonly (number | undefined)[],
) => CallConversion | undefined;

/** What converting a body needs. */
export interface NodeConversion {
  readonly values: VariableValues;
  readonly handles: Handles;
  readonly convertCall: ConvertCall;
}

/**
 * The nodes that take the place of one: variables become constants, reads of handles become reads of values. Most nodes stay one node;
 * the node of the same name comes last.
 * @throws ToolError `UNSUPPORTED` for uses of a variable that no constant can serve.
 */
export function convertNode(node: GraphNode, conversion: NodeConversion): readonly GraphNode[] {
  if (VARIABLE_OPS.has(node.op)) return [conversion.values.constantFor(node)];
  const inputs = conversion.handles.typesInto(node);
  const call = conversion.convertCall(node, inputs);
  if (call !== undefined) return [convertCallNode(node, inputs, call)];
  if (node.op === "IsVariableInitialized") return [always(node)];
  const plain = withPlainTypes(node);
  const type = inputs.find((input) => input !== undefined);
  return type === undefined ? [plain] : convertUse(plain, { type, inputs });
}

interface HandleUse {
  /** Type of the variable. */
  readonly type: number;
  readonly inputs: readonly (number | undefined)[];
}

function convertUse(node: GraphNode, { type, inputs }: HandleUse): readonly GraphNode[] {
  if (isPassing(node.op)) return [withAttrs(node, [["T", makeType(type)]])];
  switch (node.op) {
    case "ReadVariableOp":
      return [only({ ...node, op: "Identity" }, [["T", makeType(type)]])];
    case "VariableShape":
      return [
        only({ ...node, op: "Shape" }, [
          ["T", makeType(type)],
          ["out_type", node.attrs.get("out_type") ?? makeType(DT.int32)],
        ]),
      ];
    case "VarIsInitializedOp":
      return [always(node)];
    case "ResourceGather":
      return gather(node, type);
    case "ResourceGatherNd":
      return [only({ ...node, op: "GatherNd" }, gatherTypes(node, type, "Tparams"))];
    case "IdentityN":
      return [withAttrs(node, [["T", typeList(node, "T", inputs)]])];
    default:
      throw refuseGraph(
        `"${node.name}" (${node.op}) uses a variable in a way that a constant cannot serve`,
        "choose outputs with --outputs that do not need it",
      );
  }
}

/** With an axis only the newer operation serves; without, the older one is known to every TensorFlow. */
function gather(node: GraphNode, type: number): readonly GraphNode[] {
  const batchDims = intAttr(node.attrs.get("batch_dims")) ?? 0;
  const types = gatherTypes(node, type, "Tparams");
  if (batchDims === 0) return [only({ ...node, op: "Gather" }, types)];
  const [params = "", indices = ""] = dataInputs(node.inputs);
  const axis = int32Constant(`${node.name}/axis`, batchDims, [`^${nodeName(indices)}`]);
  const edges = node.inputs.filter(isControl);
  const inputs = [params, indices, axis.name + suffixLike(params), ...edges];
  return [
    axis,
    only({ ...node, op: "GatherV2", inputs }, [
      ...types,
      ["Taxis", makeType(DT.int32)],
      ["batch_dims", node.attrs.get("batch_dims")],
    ]),
  ];
}

/** Inside functions a reference names the result: `name:output:0`. */
function suffixLike(reference: string): string {
  return reference.split(":").length > 2 ? ":output:0" : "";
}

function gatherTypes(
  node: GraphNode,
  type: number,
  name: string,
): readonly (readonly [string, Buffer | undefined])[] {
  return [
    [name, makeType(type)],
    ["Tindices", node.attrs.get("Tindices")],
  ];
}

/** A scalar constant. */
function int32Constant(name: string, value: number, edges: readonly string[]): GraphNode {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  const attrs = constAttrs(DT.int32, makeTensor(plainTensor(DT.int32, [], bytes)));
  return { name, op: "Const", inputs: edges, device: "", attrs };
}

/** Every variable of a frozen graph has its value. The edge keeps the node in its loop or branch. */
function always(node: GraphNode): GraphNode {
  const edges = node.inputs.map((input) => `^${nodeName(input)}`);
  const value = makeTensor(plainTensor(DT.bool, [], Buffer.of(1)));
  return { ...node, op: "Const", inputs: [...new Set(edges)], attrs: constAttrs(DT.bool, value) };
}

function convertCallNode(
  node: GraphNode,
  inputs: readonly (number | undefined)[],
  { op, attrs, results }: CallConversion,
): GraphNode {
  const isLoop = node.op === "While" || node.op === "StatelessWhile";
  const skip = dataInputs(node.inputs).length - typeListAttr(node.attrs.get("Tin")).length;
  const converted = new Map(attrs);
  const put = (name: string, value: Buffer): void => {
    if (node.attrs.has(name)) converted.set(name, value);
  };
  if (isLoop) put("T", typeList(node, "T", inputs));
  put("Tin", typeList(node, "Tin", inputs.slice(node.attrs.has("Tin") ? skip : 0)));
  put("Tout", typeList(node, "Tout", results));
  const shapes = shapeListAttr(node.attrs.get("output_shapes"));
  // A handle is a scalar, and the value behind it is not.
  if (shapes.length > 0)
    put(
      "output_shapes",
      makeShapeList(shapes.map((shape, at) => (results[at] === undefined ? shape : undefined))),
    );
  return { ...node, op, attrs: converted };
}

function typeList(node: GraphNode, name: string, handles: readonly (number | undefined)[]): Buffer {
  const types = typeListAttr(node.attrs.get(name));
  return makeTypeList(types.map((type, at) => handles[at] ?? type));
}

/** References become values. */
function withPlainTypes(node: GraphNode): GraphNode {
  const changed = [...node.attrs].filter(([, value]) => {
    const type = typeAttr(value);
    return type !== baseType(type);
  });
  const attrs = new Map(node.attrs);
  for (const [key, value] of changed) attrs.set(key, makeType(baseType(typeAttr(value))));
  return { ...node, op: plainOp(node.op), attrs };
}

function withAttrs(node: GraphNode, attrs: readonly (readonly [string, Buffer])[]): GraphNode {
  return { ...node, attrs: new Map([...node.attrs, ...attrs]) };
}

/** The node with these attributes only. */
function only(
  node: GraphNode,
  attrs: readonly (readonly [string, Buffer | undefined])[],
): GraphNode {
  const present = attrs.filter((attr): attr is readonly [string, Buffer] => attr[1] !== undefined);
  return { ...node, attrs: new Map(present) };
}

/** Names of the results of operations that change, as functions refer to them: `name:value:0` becomes `name:output:0`. */
const RENAMED_RESULTS: ReadonlySet<string> = new Set([
  "ReadVariableOp",
  "VarHandleOp",
  "VarIsInitializedOp",
  "VariableV2",
  "Variable",
  "IsVariableInitialized",
]);

/** A reference inside a function after its node was converted. @param original - the node before */
export function convertReference(reference: string, original: GraphNode | undefined): string {
  if (original === undefined || isControl(reference) || !RENAMED_RESULTS.has(original.op))
    return reference;
  return reference.includes(":") ? `${original.name}:output:0` : reference;
}
