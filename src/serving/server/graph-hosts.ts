import type { GraphNode, ModelDescription } from "../../models/description/index.ts";
import { runtimeOf } from "../../models/description/index.ts";
import { createPythonHost, type PythonHost, type PythonOptions } from "../runtime/index.ts";

/** What is said of a graph's nodes for their processes. */
export interface HostPlan {
  readonly root: GraphNode;
  /** By the names of nodes that run here. */
  readonly components: ReadonlyMap<string, ModelDescription>;
  readonly optionsOf: (node: GraphNode, description: ModelDescription) => PythonOptions;
}

/** A node's place in a process that it shares. */
export interface HostedNode {
  readonly host: PythonHost;
  /** Its number there. */
  readonly component: number;
}

/**
 * Gives nodes that follow each other one process: a node, its first child, that one's first child, and so on. A request is never in two of them at
 * the same time. Branches that may be asked at the same time stay in processes of their own.
 * @returns by the names of nodes; a node that is not in it has its own process
 */
export function hostNodes(plan: HostPlan): ReadonlyMap<string, HostedNode> {
  const hosted = new Map<string, HostedNode>();
  for (const nodes of chainsOf(plan.root).flatMap((chain) => likeNodes(chain, plan.components))) {
    if (nodes.length < 2) continue;
    const models = nodes.map(({ node, description }) => ({
      description,
      options: plan.optionsOf(node, description),
    }));
    const host = createPythonHost(models);
    nodes.forEach(({ node }, component) => hosted.set(node.name, { host, component }));
  }
  return hosted;
}

/** Every node is in one chain, the root's first. */
function chainsOf(root: GraphNode): readonly (readonly GraphNode[])[] {
  const chain: GraphNode[] = [];
  const others: GraphNode[] = [];
  for (let node: GraphNode | undefined = root; node !== undefined; node = node.children[0]) {
    chain.push(node);
    others.push(...node.children.slice(1));
  }
  return [chain, ...others.flatMap(chainsOf)];
}

interface LocalNode {
  readonly node: GraphNode;
  readonly description: ModelDescription;
}

/** The Python nodes of a chain, parted by what a process has once. */
function likeNodes(
  chain: readonly GraphNode[],
  components: HostPlan["components"],
): readonly (readonly LocalNode[])[] {
  const parts = new Map<string, LocalNode[]>();
  for (const node of chain) {
    const description = components.get(node.name);
    const key = description === undefined ? undefined : processKey(description);
    if (description === undefined || key === undefined) continue;
    const part = parts.get(key) ?? [];
    part.push({ node, description });
    parts.set(key, part);
  }
  return [...parts.values()];
}

/** What models of one process have in common; undefined for one that must have its own: it joins rows, or has a limit of memory. */
function processKey(description: ModelDescription): string | undefined {
  const { contract, codePath, python, server } = description;
  const isPython = runtimeOf(description) === "python";
  const isAlone = (server.maxBatch ?? 1) > 1 || server.workerMemoryMib !== undefined;
  if (!isPython || isAlone || contract === "uai") return undefined;
  return JSON.stringify([contract, codePath, python?.executable, python?.path, server]);
}
