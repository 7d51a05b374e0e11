import type { GraphNode } from "../tensorflow/index.ts";
import { handsOnVariable, variableName, variablesBehind, type Body } from "./body.ts";
import { isChange } from "./operations.ts";
import { refuseGraph } from "./refusal.ts";
import { dataInputs, nodeName } from "./tensor-name.ts";

/** Variables that a node changes besides those its own operation changes: those that a called function changes. */
export type ChangesInCall = (node: GraphNode) => readonly string[];

/**
 * Refuses a body where a needed value is read from a variable after something else changed it: a constant would give the old value.
 * A change that nothing needed comes after is training's own and is dropped.
 * @param kept - the needed nodes
 * @throws ToolError `UNSUPPORTED` naming variable and nodes.
 */
export function assertReadsComeFirst(
  body: Body,
  kept: ReadonlyMap<string, GraphNode>,
  changesInCall: ChangesInCall,
): void {
  const reached = reachable(body);
  const changes: { readonly node: GraphNode; readonly variables: ReadonlySet<string> }[] = [];
  for (const name of reached) {
    const node = body.nodes.get(name);
    if (node === undefined) continue;
    const own = isChange(node.op) ? variablesBehind(body, node.inputs[0] ?? "") : [];
    const variables = new Set([...own, ...changesInCall(node)]);
    if (variables.size > 0) changes.push({ node, variables });
  }
  if (changes.length === 0) return;
  const consumers = consumersIn(body, reached);
  const reads = readsIn(body, kept);
  for (const { node, variables } of changes)
    for (const name of downstream(node.name, consumers)) {
      const reader = kept.get(name);
      const read = reads.get(name)?.find((variable) => variables.has(variable));
      if (reader !== undefined && read !== undefined)
        throw readAfter(variableName(read), reader, node);
    }
}

/** Refuses needed nodes whose value is the result of a change. @throws ToolError `UNSUPPORTED` naming variable and node. */
export function assertNoChanges(body: Body, kept: ReadonlyMap<string, GraphNode>): void {
  for (const node of kept.values()) {
    if (!isChange(node.op)) continue;
    const names = [...variablesBehind(body, node.inputs[0] ?? "")].map(variableName);
    throw refuseGraph(
      `"${node.name}" (${node.op}) changes variable "${names.join('", "')}", and the outputs need what it gives`,
      "choose outputs with --outputs that do not come after it",
    );
  }
}

/** Variables that needed nodes read. A node that only hands a handle on reads nothing. */
function readsIn(
  body: Body,
  kept: ReadonlyMap<string, GraphNode>,
): ReadonlyMap<string, readonly string[]> {
  const reads = new Map<string, readonly string[]>();
  for (const { name } of kept.values()) {
    // What was asked is how the training graph has it: references are gone from the needed nodes.
    const node = body.nodes.get(name);
    if (node === undefined || handsOnVariable(node)) continue;
    const variables = dataInputs(node.inputs).flatMap((input) => [...variablesBehind(body, input)]);
    if (variables.length > 0) reads.set(name, variables);
  }
  return reads;
}

function reachable(body: Body): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = body.roots.map(nodeName);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (const input of body.nodes.get(name)?.inputs ?? []) open.push(nodeName(input));
  }
  return seen;
}

function consumersIn(
  body: Body,
  reached: ReadonlySet<string>,
): ReadonlyMap<string, readonly string[]> {
  const consumers = new Map<string, string[]>();
  for (const name of reached)
    for (const input of body.nodes.get(name)?.inputs ?? []) {
      const source = nodeName(input);
      const known = consumers.get(source);
      if (known === undefined) consumers.set(source, [name]);
      else known.push(name);
    }
  return consumers;
}

function downstream(
  start: string,
  consumers: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [...(consumers.get(start) ?? [])];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    open.push(...(consumers.get(name) ?? []));
  }
  seen.delete(start);
  return seen;
}

function readAfter(variable: string, reader: GraphNode, change: GraphNode): Error {
  return refuseGraph(
    `"${reader.name}" reads variable "${variable}" after "${change.name}" (${change.op}) changed it, so a constant would give the old value`,
    "choose outputs with --outputs that do not come after the change",
  );
}
