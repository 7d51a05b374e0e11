import { baseType, typeAttr, type GraphNode } from "../tensorflow/index.ts";
import { isPassing, plainOp } from "./operations.ts";
import { dataInputs, nodeName, slotNumber, slotText } from "./tensor-name.ts";

/** Types of the variables whose handles travel on a body's edges: where a handle was, the value will be. */
export interface Handles {
  /** Type of the variable behind a tensor; `undefined` when the tensor is no handle. */
  typeAt(reference: string): number | undefined;
  /** Types by input of a node, `undefined` for inputs that are no handles. */
  typesInto(node: GraphNode): readonly (number | undefined)[];
}

/** Says which of a call's results are handles, given its inputs' types. */
export type ResultTypes = (
  node: GraphNode,
  inputs: readonly (number | undefined)[],
) => readonly (number | undefined)[] | undefined;

/**
 * Follows handles from the variables, and from the arguments of a function, forward through everything that hands them on.
 * @param nodes - in an order where inputs come first, loops aside
 */
export function followHandles(
  nodes: ReadonlyMap<string, GraphNode>,
  args: ReadonlyMap<string, number>,
  resultTypes: ResultTypes,
): Handles {
  const whole = new Map(args);
  const bySlot = new Map<string, readonly (number | undefined)[]>();
  const typeAt = (reference: string): number | undefined => {
    const name = nodeName(reference);
    const types = bySlot.get(name);
    if (types !== undefined) return types[slotNumber(reference)];
    return isMergeIndex(nodes.get(name), reference) ? undefined : whole.get(name);
  };
  const typesInto = (node: GraphNode): readonly (number | undefined)[] =>
    dataInputs(node.inputs).map(typeAt);
  for (let isChanged = true; isChanged;) {
    isChanged = false;
    for (const node of nodes.values()) {
      if (whole.has(node.name)) continue;
      const own = ownType(node, typesInto(node));
      if (own !== undefined) {
        whole.set(node.name, own);
        isChanged = true;
      } else if (!bySlot.has(node.name)) {
        const types = resultTypes(node, typesInto(node));
        if (types?.some((type) => type !== undefined) !== true) continue;
        bySlot.set(node.name, types);
        isChanged = true;
      }
    }
  }
  return { typeAt, typesInto };
}

function ownType(node: GraphNode, inputs: readonly (number | undefined)[]): number | undefined {
  if (node.op === "VarHandleOp") return baseType(typeAttr(node.attrs.get("dtype")));
  return isPassing(node.op) ? inputs.find((type) => type !== undefined) : undefined;
}

/** The second result of a Merge says which input was there. */
function isMergeIndex(node: GraphNode | undefined, reference: string): boolean {
  if (node === undefined || plainOp(node.op) !== "Merge") return false;
  const slot = slotText(reference);
  return slot === "1" || slot.startsWith("value_index");
}
