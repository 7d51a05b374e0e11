import {
  baseType,
  DT,
  functionNames,
  renameFunctions,
  typeAttr,
  type Graph,
  type GraphFunction,
  type GraphNode,
  type StreamedTensor,
} from "../tensorflow/index.ts";
import { variablesBehind, type Body } from "./body.ts";
import { convertNode, convertReference, type CallConversion } from "./convert-nodes.ts";
import { foldIdentities } from "./fold.ts";
import { followHandles, type Handles } from "./handles.ts";
import { CALL_ATTRS, isChange, leadingInputs, outsideSource } from "./operations.ts";
import { prune } from "./prune.ts";
import { assertNoChanges, assertReadsComeFirst } from "./read-order.ts";
import { nameSome, refuseGraph } from "./refusal.ts";
import { dataInputs, nodeName } from "./tensor-name.ts";
import type { VariableValues } from "./variable-values.ts";

/** A graph without variables. */
export interface FrozenGraph {
  readonly graph: Graph;
  /** Values that are streamed when it is written. */
  readonly streamedOf: (node: GraphNode) => StreamedTensor | undefined;
}

/**
 * Keeps what the outputs need, puts constants in the place of variables, and takes away what only training needs.
 * @param outputs - tensors, such as `probs` or `split:1`; their nodes keep their names
 * @throws ToolError `UNSUPPORTED` naming the node that cannot be frozen.
 */
export function freezeGraph(
  graph: Graph,
  outputs: readonly string[],
  values: VariableValues,
): FrozenGraph {
  const freezer = new Freezer(graph, values);
  return { graph: freezer.freeze(outputs), streamedOf: (node) => values.streamedOf(node) };
}

interface Specialised {
  readonly name: string;
  readonly results: readonly (number | undefined)[];
}

/** Holds what the bodies of one graph share: its functions, and what became of them. */
class Freezer {
  readonly #graph: Graph;
  readonly #values: VariableValues;
  readonly #functions: ReadonlyMap<string, GraphFunction>;
  readonly #done = new Map<string, Specialised | "begun">();
  readonly #written = new Map<string, GraphFunction>();
  readonly #changed = new Map<string, ReadonlySet<number>>();

  constructor(graph: Graph, values: VariableValues) {
    this.#graph = graph;
    this.#values = values;
    this.#functions = new Map(graph.functions.map((one) => [one.signature.name, one]));
  }

  freeze(outputs: readonly string[]): Graph {
    const nodes = new Map(this.#graph.nodes.map((node) => [node.name, node]));
    const body: Body = {
      functionName: "",
      nodes,
      variableArguments: new Map(),
      roots: outputs,
    };
    const { nodes: converted } = this.#convertBody(body, new Map());
    const roots = new Set(outputs.map(nodeName));
    const folded = foldIdentities(converted, roots);
    const functions = [...this.#written.values()].sort((one, other) =>
      one.signature.name < other.signature.name ? -1 : 1,
    );
    return { nodes: folded, functions, versions: this.#graph.versions };
  }

  #convertBody(
    body: Body,
    args: ReadonlyMap<string, number>,
  ): { readonly nodes: readonly GraphNode[]; readonly handles: Handles } {
    const { nodes, outside } = prune(body);
    assertInside(body, outside);
    assertNoChanges(body, nodes);
    assertReadsComeFirst(body, nodes, (node) => this.#changesInCall(body, node));
    const convertCall = (
      node: GraphNode,
      inputs: readonly (number | undefined)[],
    ): CallConversion | undefined => this.#convertCall(node, inputs);
    const handles = followHandles(
      nodes,
      args,
      (node, inputs) => resultsOf(node, inputs) ?? convertCall(node, inputs)?.results,
    );
    const converted: GraphNode[] = [];
    for (const node of nodes.values())
      converted.push(...convertNode(node, { values: this.#values, handles, convertCall }));
    return { nodes: converted, handles };
  }

  #convertCall(
    node: GraphNode,
    inputs: readonly (number | undefined)[],
  ): CallConversion | undefined {
    if (this.#functions.has(node.op)) {
      const { name, results } = this.#specialise(node.op, inputs);
      return { op: name, attrs: node.attrs, results };
    }
    const calling = CALL_ATTRS.get(node.op);
    const argumentTypes = calling === undefined ? [] : inputs.slice(leadingInputs(node.op));
    let results: readonly (number | undefined)[] | undefined;
    const attrs = new Map(node.attrs);
    for (const [key, value] of node.attrs) {
      const names = functionNames(value);
      if (names.length === 0) continue;
      const specialised = names.map((name) => this.#specialise(name, argumentTypes));
      attrs.set(
        key,
        renameFunctions(value, (name, at) => specialised[at]?.name ?? name),
      );
      if (key !== "cond") results ??= specialised[0]?.results;
    }
    return results === undefined ? undefined : { op: node.op, attrs, results };
  }

  /** Converts a function for arguments of which some are variables. */
  #specialise(name: string, types: readonly (number | undefined)[]): Specialised {
    const known = this.#functions.get(name);
    if (known === undefined) return { name, results: [] };
    const { inputs } = known.signature;
    const key = `${name}\0${inputs.map((_, at) => types[at] ?? "").join(",")}`;
    const done = this.#done.get(key);
    if (done === "begun")
      throw refuseGraph(`function "${name}" calls itself`, "choose other outputs with --outputs");
    if (done !== undefined) return done;
    this.#done.set(key, "begun");
    const newName = this.#freeName(name);
    const { fn, results } = this.#convertFunction(known, { newName, types });
    const specialised = { name: newName, results };
    this.#written.set(newName, fn);
    this.#done.set(key, specialised);
    return specialised;
  }

  #freeName(name: string): string {
    let free = name;
    for (let number = 1; this.#written.has(free); number += 1) free = `${name}_frozen_${number}`;
    return free;
  }

  #convertFunction(
    known: GraphFunction,
    {
      newName,
      types,
    }: { readonly newName: string; readonly types: readonly (number | undefined)[] },
  ): { readonly fn: GraphFunction; readonly results: readonly (number | undefined)[] } {
    const { signature } = known;
    const args = new Map<string, number>();
    for (const [at, { name }] of signature.inputs.entries()) {
      const type = types[at];
      if (type !== undefined) args.set(name, type);
    }
    const body = bodyOf(known);
    const { nodes, handles } = this.#convertBody(body, args);
    const convert = (reference: string): string =>
      convertReference(reference, body.nodes.get(nodeName(reference)));
    const results = signature.outputs.map(({ name }) =>
      handles.typeAt(known.results.get(name) ?? ""),
    );
    const fn: GraphFunction = {
      signature: {
        ...signature,
        name: newName,
        inputs: signature.inputs.map((input, at) => ({ ...input, type: types[at] ?? input.type })),
        outputs: signature.outputs.map((output, at) => ({
          ...output,
          type: results[at] ?? output.type,
        })),
      },
      // A node without inputs stays the same object: streamed values are known by it.
      nodes: nodes.map((node) =>
        node.inputs.length === 0 ? node : { ...node, inputs: node.inputs.map(convert) },
      ),
      results: new Map([...known.results].map(([name, value]) => [name, convert(value)])),
      attrs: known.attrs,
    };
    return { fn, results };
  }

  /** Variables that a node changes because a function that it calls does. */
  #changesInCall(body: Body, node: GraphNode): readonly string[] {
    const calling = CALL_ATTRS.get(node.op);
    const names = this.#functions.has(node.op)
      ? [node.op]
      : (calling ?? []).flatMap((attr) => functionNames(node.attrs.get(attr)));
    const inputs = dataInputs(node.inputs).slice(leadingInputs(node.op));
    return names
      .flatMap((name) => [...this.#changedArguments(name)])
      .flatMap((at) => [...variablesBehind(body, inputs[at] ?? "")]);
  }

  /** Which arguments of a function are variables that it, or what it calls, changes. */
  #changedArguments(name: string): ReadonlySet<number> {
    const known = this.#changed.get(name);
    const fn = this.#functions.get(name);
    if (known !== undefined || fn === undefined) return known ?? new Set();
    this.#changed.set(name, new Set()); // a function that calls itself ends here
    const body = bodyOf(fn);
    const changed = new Set<string>();
    for (const node of fn.nodes) {
      if (isChange(node.op))
        for (const key of variablesBehind(body, node.inputs[0] ?? "")) changed.add(key);
      for (const key of this.#changesInCall(body, node)) changed.add(key);
    }
    const positions = fn.signature.inputs.flatMap((input, at) =>
      changed.has(argumentKey(input.name)) ? [at] : [],
    );
    this.#changed.set(name, new Set(positions));
    return new Set(positions);
  }
}

function argumentKey(name: string): string {
  return `argument\0${name}`;
}

function bodyOf({ signature, nodes, results }: GraphFunction): Body {
  const resources = signature.inputs.filter(({ type }) => baseType(type) === DT.resource);
  return {
    functionName: signature.name,
    nodes: new Map(nodes.map((node) => [node.name, node])),
    variableArguments: new Map(resources.map(({ name }) => [name, argumentKey(name)])),
    roots: [...results.values()],
  };
}

/** Which results of an operation that is no call are handles, where it has several. */
function resultsOf(
  node: GraphNode,
  inputs: readonly (number | undefined)[],
): readonly (number | undefined)[] | undefined {
  return node.op === "IdentityN" ? inputs : undefined;
}

function assertInside(body: Body, outside: readonly GraphNode[]): void {
  const [first] = outside;
  if (first === undefined) return;
  const where = body.functionName === "" ? "" : ` of function "${body.functionName}"`;
  const what = outsideSource(first.op) ?? "";
  const sources = dataInputs(first.inputs)
    .map(nodeName)
    .filter((name) => outsideSource(body.nodes.get(name)?.op ?? "") !== undefined);
  const of = sources.length === 0 ? "" : ` (of ${nameSome(sources)})`;
  const others = outside.slice(1).map(({ name }) => name);
  const also = others.length === 0 ? "" : `; so do ${nameSome(others)}`;
  throw refuseGraph(
    `"${first.name}"${where} takes its values from ${what}: ${first.op}${of}${also}`,
    `put an input in its place, such as --input ${first.name}:0=${exampleSpec(first)}, or choose outputs with --outputs that do not need it`,
  );
}

function exampleSpec(node: GraphNode): string {
  const type = baseType(typeAttr(node.attrs.get("T")) || typeAttr(node.attrs.get("dtype")));
  return type === DT.int32 ? "int32[?]" : "float32[?,4]";
}
