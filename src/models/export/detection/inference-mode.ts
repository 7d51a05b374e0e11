import { DT, makeBool, boolAttr, type GraphNode } from "../../tensorflow/index.ts";
import { attr, type GraphBuilder } from "../graph-builder.ts";
import { VARIABLE_OPS } from "../operations.ts";
import { dataInputs, isControl, nodeName } from "../tensor-name.ts";
import { int32Values, type Nodes, type SsdHeads } from "./find-heads.ts";
import { refuseTrainingGraph } from "./refuse-training.ts";

/** What turning a graph to inference needs. */
export interface ModeChange {
  readonly nodes: Nodes;
  readonly heads: SsdHeads;
  readonly builder: GraphBuilder;
  /** Tensor with the number of images. */
  readonly batchSize: string;
}

/**
 * Turns the nodes between images and heads to inference: batch norm takes the saved averages,
 * dropout passes everything, and the batch size is that of the input.
 * @returns nodes that take the place of those with the same name
 * @throws ToolError `UNSUPPORTED` for batch norm whose averages are not found.
 */
export function toInferenceMode(change: ModeChange): ReadonlyMap<string, GraphNode> {
  const changed = new Map<string, GraphNode>();
  const live = dependents(change.nodes, change.heads);
  for (const name of live) {
    const node = change.nodes.get(name);
    if (node === undefined) continue;
    const replacement = replace(change, node, live);
    if (replacement !== undefined) changed.set(name, replacement);
  }
  return changed;
}

function replace(
  change: ModeChange,
  node: GraphNode,
  live: ReadonlySet<string>,
): GraphNode | undefined {
  if (/^FusedBatchNorm(?:V[23])?$/.test(node.op)) return inferBatchNorm(change, node);
  if (node.op === "Reshape") return anyBatch(change, node);
  if (/(?:^|\/)moments\/(?:Squeeze|Squeeze_1)$/.test(node.name)) return savedMoment(change, node);
  if (isDropoutResult(change.nodes, node)) return passThrough(change, node, live);
  return undefined;
}

/** Inner nodes whose values change with the images. */
function dependents(nodes: Nodes, { inner, images }: SsdHeads): ReadonlySet<string> {
  const live = new Set<string>();
  for (let isChanged = true; isChanged;) {
    isChanged = false;
    for (const name of inner) {
      const inputs = dataInputs(nodes.get(name)?.inputs ?? []);
      if (live.has(name) || !inputs.some((input) => input === images || live.has(nodeName(input))))
        continue;
      live.add(name);
      isChanged = true;
    }
  }
  return live;
}

function inferBatchNorm(change: ModeChange, node: GraphNode): GraphNode | undefined {
  if (boolAttr(node.attrs.get("is_training")) === false) return undefined;
  const [images = "", gamma = "", beta = ""] = dataInputs(node.inputs);
  const scope = normScope(change.nodes, [beta, gamma], node);
  const mean = readVariable(change, `${scope}/moving_mean`);
  const variance = readVariable(change, `${scope}/moving_variance`);
  const attrs = new Map(node.attrs).set("is_training", makeBool(false));
  return { ...node, inputs: [images, gamma, beta, mean, variance], attrs };
}

/** The scope of a batch norm's variables, from the name of one of them. */
function normScope(nodes: Nodes, tensors: readonly string[], node: GraphNode): string {
  for (const tensor of tensors) {
    let source = nodes.get(nodeName(tensor));
    if (source !== undefined && !VARIABLE_OPS.has(source.op))
      source = nodes.get(nodeName(source.inputs[0] ?? ""));
    if (source !== undefined && VARIABLE_OPS.has(source.op))
      return source.name.slice(0, source.name.lastIndexOf("/"));
  }
  throw refuseTrainingGraph(`the saved averages of batch norm "${node.name}" are not found`);
}

/** Batch norm that was built of single operations takes its moments from here. */
function savedMoment(change: ModeChange, node: GraphNode): GraphNode | undefined {
  const scope = /^(.*?\/BatchNorm)(?:_\d+)?\/moments\//.exec(node.name)?.[1];
  if (scope === undefined) return undefined;
  const isMean = node.name.endsWith("/Squeeze");
  const suffix = isMean ? "moving_mean" : "moving_variance";
  const found = [...change.nodes.keys()].filter(
    (name) => name.endsWith(`/${suffix}`) && isSameLayer(name.slice(0, -suffix.length - 1), scope),
  );
  const [variable, another] = found;
  if (variable === undefined || another !== undefined)
    throw refuseTrainingGraph(`the saved averages of batch norm "${scope}" are not found`);
  return {
    ...node,
    op: "Identity",
    inputs: [readVariable(change, variable)],
    attrs: new Map([["T", attr.type(DT.float32)]]),
  };
}

/** Variables leave out scopes that were opened twice: `A/X/BatchNorm` for the operation `A/A/X/BatchNorm`. */
function isSameLayer(variables: string, operation: string): boolean {
  const words = operation.split("/");
  const wanted = variables.split("/");
  let at = 0;
  for (const word of words) if (word === wanted[at]) at += 1;
  return at === wanted.length && words.at(-2) === wanted.at(-2);
}

function readVariable({ nodes, builder }: ModeChange, name: string): string {
  const variable = nodes.get(name);
  if (variable === undefined || !VARIABLE_OPS.has(variable.op))
    throw refuseTrainingGraph(`variable "${name}" is not in the graph`);
  if (variable.op === "VarHandleOp")
    return builder.add("ReadVariableOp", [name], { dtype: attr.type(DT.float32) });
  return builder.add("Identity", [name], { T: attr.type(DT.float32) });
}

/** A reshape to a fixed number of images becomes one to as many as there are. */
function anyBatch(
  { nodes, builder, batchSize }: ModeChange,
  node: GraphNode,
): GraphNode | undefined {
  const [data = "", shapeName = ""] = dataInputs(node.inputs);
  const shape = nodes.get(nodeName(shapeName));
  const [first, ...rest] = (shape === undefined ? undefined : int32Values(shape)) ?? [];
  if (first === undefined || first < 1 || rest.length === 0) return undefined;
  const sizes = rest.map((size) => builder.ints([size]));
  const packed = builder.pack([batchSize, ...sizes], 0, DT.int32);
  const attrs = new Map(node.attrs).set("Tshape", attr.type(DT.int32));
  return { ...node, inputs: [data, packed], attrs };
}

/** The last operation of a dropout: what is kept, and zeros for what is not. */
function isDropoutResult(nodes: Nodes, node: GraphNode): boolean {
  const scope = dropoutScope(node.name);
  if (scope === undefined || !/^(?:Mul|SelectV2|Select)$/.test(node.op)) return false;
  return (
    /\/(?:mul|mul_1|SelectV2)$/.test(node.name) &&
    nodes.has(`${scope}/random_uniform/RandomUniform`)
  );
}

function dropoutScope(name: string): string | undefined {
  return /^(.*\/dropout(?:_\d+)?)\/[^/]+$/i.exec(name)?.[1];
}

function passThrough(
  { nodes }: ModeChange,
  node: GraphNode,
  live: ReadonlySet<string>,
): GraphNode | undefined {
  const scope = `${dropoutScope(node.name) ?? ""}/`;
  const open = [node.name];
  const seen = new Set<string>();
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (const input of nodes.get(name)?.inputs ?? []) {
      const source = nodeName(input);
      if (source.startsWith(scope)) open.push(source);
      else if (!isControl(input) && live.has(source))
        return {
          ...node,
          op: "Identity",
          inputs: [input],
          attrs: new Map([["T", attr.type(DT.float32)]]),
        };
    }
  }
  return undefined;
}
