import { makeType, typeAttr, type GraphNode } from "../tensorflow/index.ts";
import type { Body } from "./body.ts";
import { createControlEdges } from "./control-edges.ts";
import { isInferenceIdentity, outsideSource } from "./operations.ts";
import { dataInputs, nodeName } from "./tensor-name.ts";

/** Attributes that hold for training only: the shapes and devices that were known there. */
const DROPPED_ATTRS: ReadonlySet<string> = new Set([
  "_class",
  "_gradient_op_type",
  "_handle_dtypes",
  "_handle_shapes",
  "_has_manual_control_dependencies",
  "_output_shapes",
  "_read_only_resource_inputs",
]);

/** Nodes that outputs need. */
export interface PrunedBody {
  /** In an order where inputs come first, loops aside. Devices, training's attributes and needless control edges are gone. */
  readonly nodes: ReadonlyMap<string, GraphNode>;
  /** Needed nodes whose values come from outside the graph; what they need is not followed. */
  readonly outside: readonly GraphNode[];
}

/** Keeps what the roots need. Identities of training, such as `StopGradient`, become plain ones. */
export function prune(body: Body): PrunedBody {
  const edges = createControlEdges(body);
  const done = new Map<string, GraphNode>();
  const outside: GraphNode[] = [];
  const visit = (name: string): GraphNode | undefined => {
    const original = body.nodes.get(name) ?? edges.added.get(name);
    if (original === undefined) return undefined; // an argument of the function
    if (outsideSource(original.op) !== undefined) {
      outside.push(original);
      return { ...original, inputs: [] };
    }
    return cleanNode(original, edges.keptEdges(original));
  };
  inInputOrder(body.roots.map(nodeName), visit, done);
  return { nodes: done, outside };
}

/** Visits nodes from the roots backwards, each once, and puts them down after their inputs. Not recursive: graphs are deeper than stacks. */
function inInputOrder(
  roots: readonly string[],
  visit: (name: string) => GraphNode | undefined,
  done: Map<string, GraphNode>,
): void {
  const visited = new Map<string, GraphNode | undefined>();
  const open = roots.toReversed().map((name) => ({ name, isLeaving: false }));
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    const { name } = step;
    if (step.isLeaving) {
      const node = visited.get(name);
      if (node !== undefined) done.set(name, node);
      continue;
    }
    if (visited.has(name)) continue;
    const node = visit(name);
    visited.set(name, node);
    if (node === undefined) continue;
    open.push({ name, isLeaving: true });
    for (const input of node.inputs.toReversed())
      open.push({ name: nodeName(input), isLeaving: false });
  }
}

function cleanNode(node: GraphNode, edges: readonly string[]): GraphNode {
  const data = dataInputs(node.inputs);
  if (isInferenceIdentity(node.op))
    return {
      name: node.name,
      op: "Identity",
      inputs: [...data.slice(0, 1), ...edges],
      device: "",
      attrs: new Map([["T", makeType(typeAttr(node.attrs.get("T")))]]),
    };
  const attrs = new Map([...node.attrs].filter(([key]) => !DROPPED_ATTRS.has(key)));
  return { ...node, inputs: [...data, ...edges], device: "", attrs };
}
