import { makeType, typeAttr, type GraphNode } from "../tensorflow/index.ts";
import type { Body } from "./body.ts";
import { plainOp } from "./operations.ts";
import { dataInputs, isControl, nodeName, slotText } from "./tensor-name.ts";

/**
 * Says which control edges of a node stay. Edges only order side effects, and inference has none; but a node without inputs that stands
 * in a loop or a branch is held there by an edge. So edges to the pivots of loops and branches stay, and another edge of such a node is
 * replaced by edges to the pivots that hold its source.
 */
export interface ControlEdges {
  /** Edges of a node, as inputs `^name`. */
  keptEdges(node: GraphNode): readonly string[];
  /** Nodes that edges need and the body does not have, by name. */
  readonly added: ReadonlyMap<string, GraphNode>;
}

/** Looks at a body's control edges. */
export function createControlEdges(body: Body): ControlEdges {
  const added = new Map<string, GraphNode>();
  const walks = new Map<string, readonly string[]>();
  const anchorsOf = (name: string): readonly string[] => {
    const known = walks.get(name);
    if (known !== undefined) return known;
    const found = walkToPivots(body, name, added);
    walks.set(name, found);
    return found;
  };
  return {
    added,
    keptEdges(node) {
      const kept = new Set<string>();
      const isFree = dataInputs(node.inputs).length === 0;
      for (const input of node.inputs) {
        if (!isControl(input)) continue;
        const name = nodeName(input);
        if (isPivot(body, name)) kept.add(`^${name}`);
        else if (isFree) for (const anchor of anchorsOf(name)) kept.add(`^${anchor}`);
      }
      return [...kept];
    },
  };
}

/** A pivot is a loop's or branch's own node, or an identity of one: it runs only where the loop or branch runs. */
function isPivot(body: Body, name: string): boolean {
  let node = body.nodes.get(name);
  for (let hops = 0; node !== undefined && hops < 100; hops += 1) {
    const op = plainOp(node.op);
    if (op === "Switch") return hops > 0; // by itself it runs for both branches
    if (op === "Enter" || op === "NextIteration" || op === "LoopCond") return true;
    if (op === "Merge") return isLoopMerge(body, node);
    if (op !== "Identity") return false;
    node = body.nodes.get(nodeName(node.inputs[0] ?? ""));
  }
  return false;
}

function isLoopMerge(body: Body, node: GraphNode): boolean {
  return dataInputs(node.inputs).some(
    (input) => plainOp(body.nodes.get(nodeName(input))?.op ?? "") === "NextIteration",
  );
}

interface Step {
  readonly reference: string;
  /** How many finished loops and branches the walk is inside of: their pivots hold nothing that comes after them. */
  readonly depth: number;
}

/** The pivots that hold a node, found by going back along all its inputs. */
function walkToPivots(body: Body, name: string, added: Map<string, GraphNode>): readonly string[] {
  const anchors = new Set<string>();
  const seen = new Set<string>();
  const open: Step[] = [{ reference: `^${name}`, depth: 0 }];
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    const node = body.nodes.get(nodeName(step.reference));
    const key = `${step.depth} ${step.reference}`;
    if (node === undefined || seen.has(key)) continue;
    seen.add(key);
    const anchor = step.depth === 0 ? anchorAt(body, node, { step, added }) : undefined;
    if (anchor !== undefined) anchors.add(anchor);
    else
      for (const reference of node.inputs)
        open.push({ reference, depth: depthBefore(body, node, step.depth) });
  }
  return [...anchors].sort();
}

function anchorAt(
  body: Body,
  node: GraphNode,
  { step, added }: { readonly step: Step; readonly added: Map<string, GraphNode> },
): string | undefined {
  const op = plainOp(node.op);
  if (op === "Enter" || (op === "Merge" && isLoopMerge(body, node))) return node.name;
  if (op !== "Switch" || isControl(step.reference)) return undefined;
  // The branch is held by one of the two results, so an identity of that result is the pivot.
  const name = `${node.name}/branch_${slotText(step.reference).replaceAll(":", "_") || "0"}`;
  added.set(name, {
    name,
    op: "Identity",
    inputs: [step.reference],
    device: "",
    attrs: new Map([["T", makeType(typeAttr(node.attrs.get("T")))]]),
  });
  return name;
}

function depthBefore(body: Body, node: GraphNode, depth: number): number {
  const op = plainOp(node.op);
  if (op === "Exit" || (op === "Merge" && !isLoopMerge(body, node))) return depth + 1;
  if ((op === "Switch" || op === "Enter") && depth > 0) return depth - 1;
  return depth;
}
