import type { GraphNode } from "../tensorflow/index.ts";
import { plainOp } from "./operations.ts";
import { isControl, nodeName } from "./tensor-name.ts";

/** An identity right behind one of these is a pivot that other nodes may hang on. */
const HELD: ReadonlySet<string> = new Set([
  "Enter",
  "LoopCond",
  "Merge",
  "NextIteration",
  "Switch",
]);

/**
 * Takes identities out: who reads one reads what stands before it. Outputs stay, and so do identities that hold a loop or a branch.
 * @returns what is still needed, in the same order
 */
export function foldIdentities(
  nodes: readonly GraphNode[],
  outputs: ReadonlySet<string>,
): readonly GraphNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const held = new Set(nodes.flatMap(({ inputs }) => inputs.filter(isControl).map(nodeName)));
  const sourceOf = new Map<string, string>();
  for (const node of nodes) {
    const [source] = node.inputs;
    if (source === undefined || node.inputs.length > 1 || node.op !== "Identity") continue;
    if (outputs.has(node.name) || held.has(node.name)) continue;
    const before = byName.get(nodeName(source));
    if (before === undefined || HELD.has(plainOp(before.op))) continue;
    // Nodes come in the order of their inputs, so what stands before is folded already.
    sourceOf.set(node.name, sourceOf.get(nodeName(source)) ?? source);
  }
  const folded = nodes
    .filter(({ name }) => !sourceOf.has(name))
    .map((node) => ({
      node,
      inputs: node.inputs.map((input) =>
        isControl(input) ? input : (sourceOf.get(nodeName(input)) ?? input),
      ),
    }));
  // Nodes whose inputs stay as they are stay the same objects: streamed values are known by them.
  return folded.map(({ node, inputs }) =>
    inputs.every((input, at) => input === node.inputs[at]) ? node : { ...node, inputs },
  );
}
