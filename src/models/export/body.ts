import { baseType, DT, textAttr, typeAttr, type GraphNode } from "../tensorflow/index.ts";
import { isPassing, VARIABLE_OPS } from "./operations.ts";
import { dataInputs, nodeName } from "./tensor-name.ts";

/** A graph, or the body of a function, by the names of its nodes. */
export interface Body {
  /** Name of the function; empty for the graph. */
  readonly functionName: string;
  readonly nodes: ReadonlyMap<string, GraphNode>;
  /** Arguments of the function that are variables: name to the key below which the variable is known. */
  readonly variableArguments: ReadonlyMap<string, string>;
  /** Tensors that are wanted. */
  readonly roots: readonly string[];
}

/** A variable by what names it in a session: nodes with the same shared name are one variable. */
export function variableKey({ name, op, attrs }: GraphNode): string {
  const shared = textAttr(attrs.get("shared_name"));
  const kind = op === "VarHandleOp" ? "resource" : "ref";
  const own = shared === "" || shared.startsWith("cd2c89b7-88b7-44c8-ad83-") ? name : shared;
  return `${kind}\0${textAttr(attrs.get("container"))}\0${own}`;
}

/** Name of a variable in its key. */
export function variableName(key: string): string {
  return key.slice(key.lastIndexOf("\0") + 1);
}

/** The variables whose handle or reference arrives at a tensor: through everything that hands it on, back to where it begins. */
export function variablesBehind(body: Body, reference: string): ReadonlySet<string> {
  const found = new Set<string>();
  const seen = new Set<string>();
  const open = [reference];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const name = nodeName(next);
    if (seen.has(name)) continue;
    seen.add(name);
    const argument = body.variableArguments.get(name);
    if (argument !== undefined) found.add(argument);
    const node = body.nodes.get(name);
    if (node === undefined) continue;
    if (VARIABLE_OPS.has(node.op)) found.add(variableKey(node));
    else if (handsOnVariable(node)) open.push(...dataInputs(node.inputs));
  }
  return found;
}

/** True for nodes that hand a variable on unread. `Identity` of a resource hands on the handle; `Identity` of a reference reads the value. */
export function handsOnVariable({ op, attrs }: GraphNode): boolean {
  if (!isPassing(op)) return false;
  return op.startsWith("Ref") || baseType(typeAttr(attrs.get("T"))) === DT.resource;
}
