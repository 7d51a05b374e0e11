import { WireError, type WireField, type WireFile } from "../../../ground/wire/index.ts";
import { DETECTION_OUTPUTS, isDetector } from "../../answers/index.ts";
import { baseType, dtypeName } from "../../tensorflow/index.ts";
import type { StatedTensor } from "../contracts.ts";
import { datatypeNamed } from "../files/datatype-names.ts";

/** A node of a graph, as far as inputs and outputs depend on it. */
export interface FileNode {
  readonly name: string;
  readonly op: string;
  /** Names of the nodes that it takes values from. */
  readonly takes: readonly string[];
  /** From attribute `dtype`; absent when it has none. */
  readonly datatype?: string;
  /** From attribute `shape`; `null` when the rank is not stated. */
  readonly shape: readonly number[] | null;
}

/** What a GraphDef says, read without its constants. */
export interface GraphFile {
  readonly nodes: readonly FileNode[];
  readonly functions: number;
  /** Version of the graph's producer. */
  readonly producer: number;
}

const MAX_NODES = 1_000_000;
const MAX_NAME_BYTES = 65_536;
const MAX_AXES = 254;
const VARIABLES = /^(Variable|VariableV2|VarHandleOp|AutoReloadVariable|TemporaryVariable)$/;
const TRAINING =
  /(^|\/)(save(_\d+)?|gradients(_\d+)?|init(_\d+)?|report_uninitialized_variables|Adam|train_op)(\/|$)/;
const NO_OUTPUT = /loss|cost|accuracy|optimi|metrics|(^|\/)cond(_\d+)?\//i;
const MAX_SUGGESTED = 20;
/** Nodes that end a graph and are no answer. */
const NO_ANSWER =
  /^(NoOp|Assert|Assign.*|.*Summary(V2)?|SaveV2|SaveSlices|Save|RestoreV2|Restore.*|Placeholder.*|Print.*|Apply.*|ResourceApply.*|Queue.*|Enqueue.*|MergeV2Checkpoints|ShardedFilename|HashTable.*|InitializeTable.*|LookupTableImport.*|VarIsInitializedOp|IsVariableInitialized|DestroyResourceOp|Stage)$/;

/** Reads the GraphDef in a field, or the whole file. @throws WireError @see tensorflow, core/framework/graph.proto */
export function readGraphFile(wire: WireFile, field?: WireField): GraphFile {
  const nodes: FileNode[] = [];
  let functions = 0;
  let producer = 0;
  for (const part of field === undefined ? wire.fields() : wire.inside(field)) {
    if (part.number === 1 && nodes.length < MAX_NODES) nodes.push(readNode(wire, part));
    if (part.number === 2)
      for (const inside of wire.inside(part)) if (inside.number === 1) functions += 1;
    if (part.number === 4)
      for (const inside of wire.inside(part))
        if (inside.number === 1) producer = Number(wire.int(inside));
  }
  return { nodes, functions, producer };
}

function readNode(wire: WireFile, field: WireField): FileNode {
  let name = "";
  let op = "";
  const takes: string[] = [];
  let datatype: string | undefined;
  let shape: readonly number[] | null = null;
  for (const part of wire.inside(field)) {
    if (part.number === 1) name = wire.text(part, MAX_NAME_BYTES);
    if (part.number === 2) op = wire.text(part, MAX_NAME_BYTES);
    if (part.number === 3) takes.push(wire.text(part, MAX_NAME_BYTES));
    if (part.number !== 5 || !/^(Placeholder|Variable|VarHandle)/.test(op)) continue;
    const attribute = readAttribute(wire, part);
    if (attribute.key === "dtype") datatype = attribute.datatype;
    if (attribute.key === "shape") shape = attribute.shape;
  }
  return {
    name,
    op,
    takes: takes.filter((input) => !input.startsWith("^")).map(nodeOf),
    ...(datatype !== undefined && { datatype }),
    shape,
  };
}

/** `name:slot` without the slot. */
function nodeOf(input: string): string {
  const colon = input.lastIndexOf(":");
  return colon < 0 ? input : input.slice(0, colon);
}

interface Attribute {
  readonly key: string;
  readonly datatype?: string;
  readonly shape: readonly number[] | null;
}

function readAttribute(wire: WireFile, field: WireField): Attribute {
  let key = "";
  let datatype: string | undefined;
  let shape: readonly number[] | null = null;
  for (const part of wire.inside(field)) {
    if (part.number === 1) key = wire.text(part, MAX_NAME_BYTES);
    if (part.number !== 2 || !/^(dtype|shape)$/.test(key)) continue;
    for (const value of wire.inside(part)) {
      if (value.number === 6 && value.wireType === 0) datatype = typeNamed(Number(wire.int(value)));
      if (value.number === 7) shape = readShape(wire, value);
    }
  }
  return { key, ...(datatype !== undefined && { datatype }), shape };
}

/** Axes of a TensorShapeProto, -1 for unknown ones; `null` for an unknown rank. @see tensorflow, core/framework/tensor_shape.proto */
export function readShape(wire: WireFile, field: WireField): readonly number[] | null {
  const axes: number[] = [];
  for (const part of wire.inside(field)) {
    if (part.number === 3 && wire.int(part) !== 0n) return null;
    if (part.number !== 2) continue;
    let size = 0n;
    for (const inside of wire.inside(part)) if (inside.number === 1) size = wire.int(inside);
    if (axes.length === MAX_AXES) throw new WireError(`a shape has more than ${MAX_AXES} axes`);
    axes.push(size < 0n ? -1 : Number(size));
  }
  return axes;
}

/** Our name of a DataType. */
export function typeNamed(dtype: number): string {
  return datatypeNamed(dtypeName(baseType(dtype)));
}

/** Producers up to this one write a shape without axes where none is known. @see tensorflow, core/ops/array_ops.cc, Placeholder */
const LAST_SHAPELESS = 21;

/** Placeholders, without those of savers. */
export function inputsOf(graph: GraphFile): readonly StatedTensor[] {
  return graph.nodes
    .filter(({ name, op }) => op.startsWith("Placeholder") && !TRAINING.test(name))
    .map((node) => ({
      name: node.name,
      ...(node.datatype !== undefined && { datatype: node.datatype }),
      shape: inputShape(node, graph),
      ...(node.op === "PlaceholderWithDefault" && { isOptional: true }),
    }));
}

/** What is stated; where nothing is, rows as long as the variable is high that they are multiplied by. */
function inputShape(
  { name, op, shape }: FileNode,
  { nodes, producer }: GraphFile,
): readonly number[] | null {
  const isUnstated = op === "Placeholder" && producer <= LAST_SHAPELESS && shape?.length === 0;
  if (shape !== null && !isUnstated) return shape;
  const product = nodes.find((node) => node.op === "MatMul" && node.takes[0] === name);
  const height = product === undefined ? undefined : variableShape(product.takes[1], nodes)?.[0];
  return height === undefined ? null : [-1, height];
}

/** Inputs as the file states them: a shape without axes stays one, though old producers wrote it where they knew none. */
export function asStated(
  inputs: readonly StatedTensor[],
  { nodes }: GraphFile,
): readonly StatedTensor[] {
  return inputs.map((input) => {
    const stated = nodes.find(({ name }) => name === input.name)?.shape;
    return input.shape === null && stated?.length === 0 ? { ...input, shape: stated } : input;
  });
}

/** The shape of the variable that a node reads. */
function variableShape(
  name: string | undefined,
  nodes: readonly FileNode[],
): readonly number[] | undefined {
  const found = nodes.find((node) => node.name === name);
  if (found?.op === "Identity" || found?.op === "ReadVariableOp")
    return variableShape(found.takes[0], nodes.slice(0, nodes.indexOf(found)));
  return found !== undefined && VARIABLES.test(found.op) && found.shape?.length === 2
    ? found.shape
    : undefined;
}

/** Names of variables whose values are not in the graph. */
export function variablesOf({ nodes }: GraphFile): readonly string[] {
  return nodes.filter(({ op }) => VARIABLES.test(op)).map(({ name }) => name);
}

/** Nodes that nobody takes values from: a guess at the outputs. */
export function sinksOf({ nodes }: GraphFile): readonly string[] {
  const taken = new Set(nodes.flatMap(({ takes }) => takes));
  return nodes
    .filter(({ name, op }) => !taken.has(name) && !NO_ANSWER.test(op) && !VARIABLES.test(op))
    .map(({ name }) => name);
}

/** Outputs of a detection model. Its shapes: pictures, places in each, and four edges of a box. */
const DETECTION_SHAPES: Readonly<Record<(typeof DETECTION_OUTPUTS)[number], readonly number[]>> = {
  detection_boxes: [-1, -1, 4],
  detection_scores: [-1, -1],
  detection_classes: [-1, -1],
  num_detections: [-1],
};

/** The outputs of a graph of the object detection API; none where the graph is another one. */
export function detectionOutputs({ nodes }: GraphFile): readonly StatedTensor[] {
  const found = DETECTION_OUTPUTS.filter((name) => nodes.some((node) => node.name === name));
  const outputs = found.map((name) => ({ name, datatype: "FP32", shape: DETECTION_SHAPES[name] }));
  return isDetector(outputs) ? outputs : [];
}

/**
 * A guess at the outputs of a training graph: what answers look like (softmax, sigmoid, the largest of them); where there are none, what a
 * loss compares with labels; else the ends of the part before losses and gradients.
 */
export function suggestedOutputs(graph: GraphFile): readonly string[] {
  const forward = graph.nodes.filter(({ name }) => !TRAINING.test(name));
  const fromInput = reachable(forward);
  const answers = forward.filter(
    ({ name, op }) =>
      /^(Softmax|Sigmoid|ArgMax|LogSoftmax)$/.test(op) &&
      fromInput.has(name) &&
      !NO_OUTPUT.test(name),
  );
  const compared = comparedIn(forward, fromInput);
  const found =
    answers.length > 0
      ? answers.map(({ name }) => name)
      : compared.length > 0
        ? compared
        : sinksOf({ ...graph, nodes: forward }).filter(
            (name) => fromInput.has(name) && !NO_OUTPUT.test(name),
          );
  return found.slice(0, MAX_SUGGESTED);
}

const LOSSES =
  /^(SoftmaxCrossEntropyWithLogits|SparseSoftmaxCrossEntropyWithLogits|SquaredDifference)$/;
/** Nodes that only bring a tensor into another form. */
const SAME = /^(Identity|Reshape|StopGradient|Cast)$/;

/** What losses compare with labels, before it was only brought into another form. */
function comparedIn(
  forward: readonly FileNode[],
  fromInput: ReadonlySet<string>,
): readonly string[] {
  const byName = new Map(forward.map((node) => [node.name, node]));
  const made = (name: string): FileNode | undefined => {
    let node = byName.get(name);
    for (let step = 0; node !== undefined && SAME.test(node.op) && step < 100; step += 1)
      node = byName.get(node.takes[0] ?? "");
    return node;
  };
  const found = forward
    .filter(({ op }) => LOSSES.test(op))
    .flatMap(
      ({ takes }) =>
        takes.map(made).find((node) => node?.op.startsWith("Placeholder") === false)?.name ?? [],
    );
  return [...new Set(found)].filter((name) => fromInput.has(name));
}

/** Inputs that outputs depend on and that have no value of their own; all of them where none is left, or no output is known. */
export function neededInputs(
  { nodes }: GraphFile,
  inputs: readonly StatedTensor[],
  outputs: readonly string[],
): readonly StatedTensor[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const found = new Set(outputs);
  for (const name of found) for (const taken of byName.get(name)?.takes ?? []) found.add(taken); // grows while it is walked
  const needed = inputs.filter(({ name, isOptional }) => found.has(name) && isOptional !== true);
  return needed.length === 0 ? inputs : needed;
}

/** Names of nodes that depend on a placeholder. Graphs are written in order, but for loops. */
function reachable(nodes: readonly FileNode[]): ReadonlySet<string> {
  const found = new Set(
    nodes.filter(({ op }) => op.startsWith("Placeholder")).map(({ name }) => name),
  );
  for (const node of nodes) if (node.takes.some((name) => found.has(name))) found.add(node.name);
  return found;
}
