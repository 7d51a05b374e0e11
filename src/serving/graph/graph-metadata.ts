import type { GraphNode } from "../../models/description/index.ts";
import type { GraphAnswer, GraphCaller } from "./contracts.ts";
import type { GraphExecutor } from "./executor.ts";
import { failureAnswer } from "./failure.ts";

/** What a node says of itself, as far as the graph's own metadata show it. */
type NodeMetadata = Readonly<Record<string, unknown>>;

const KEYS = ["name", "platform", "versions", "inputs", "outputs", "custom"] as const;

/** Metadata of all nodes, and what goes in and comes out of the graph as a whole. The first node that does not answer is the answer. */
export async function graphMetadata(
  executor: GraphExecutor,
  { root, predictor }: { readonly root: GraphNode; readonly predictor: string },
  caller: GraphCaller,
): Promise<GraphAnswer> {
  const models = new Map<string, NodeMetadata>();
  const asked = executor.called.map(
    async (node) => [node, await executor.ask(node.name, "metadata", caller)] as const,
  );
  for (const [node, answer] of await Promise.all(asked)) {
    if (answer.status !== 200) return answer;
    const metadata = shownOf(answer.body);
    if (metadata === undefined)
      return failureAnswer(`read the metadata of "${node.name}": it is no JSON object`);
    models.set(node.name, metadata);
  }
  const { input, output } = edgesOf(root);
  const names = [...models.keys()].sort();
  const document = {
    name: predictor,
    models: Object.fromEntries(names.map((name) => [name, models.get(name)])),
    graphinputs: models.get(input)?.["inputs"],
    graphoutputs: models.get(output)?.["outputs"],
  };
  return {
    status: 200,
    contentType: "application/json",
    body: Buffer.from(JSON.stringify(document)),
  };
}

/** Empty text, objects and lists of versions are left out. */
function shownOf(body: Buffer): NodeMetadata | undefined {
  const metadata = parsedObject(body);
  if (metadata === undefined) return undefined;
  const shown = KEYS.map((key) => [key, metadata[key]] as const).filter(
    ([key, value]) =>
      value !== undefined && value !== null && (isPort(key) || JSON.stringify(value).length > 2),
  );
  return Object.fromEntries(shown);
}

function isPort(key: string): boolean {
  return key === "inputs" || key === "outputs";
}

function parsedObject(body: Buffer): NodeMetadata | undefined {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as NodeMetadata) // looked at just now
      : undefined;
  } catch {
    return undefined; // a node elsewhere may answer what it likes
  }
}

/** Names of the nodes that the whole graph's inputs and outputs are those of. */
function edgesOf(node: GraphNode): { readonly input: string; readonly output: string } {
  const [child] = node.children;
  if (child === undefined) return { input: node.name, output: node.name };
  const { input, output } = edgesOf(child);
  if (node.type === "OUTPUT_TRANSFORMER" || node.type === "COMBINER")
    return { input, output: node.name };
  const isPassed = node.type === "ROUTER" || node.implementation !== undefined;
  return isPassed ? { input, output } : { input: node.name, output };
}
