import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import {
  nodesOf,
  parseDocumentBy,
  parseGraphFile,
  parseProjectFile,
  PROJECT_FILE_NAME,
  type GraphFile,
  type GraphNode,
  type ModelDescription,
  type NodeSource,
  type ProjectGraph,
  type ServiceType,
} from "../../models/description/index.ts";
import { loadProject } from "../pack/project.ts";
import type { Standpoint, Surroundings } from "../session.ts";
import { describeProject } from "./describe-project.ts";

const MAX_COMPONENTS_BYTES = 1_048_576;

export interface GraphSource {
  /** File of a SeldonDeployment, or a project file with `graph:`. */
  readonly graph: string;
  /** File that says which code stands behind a node, as `file.py:Class` or the folder of a project. Default: none. */
  readonly components?: string | undefined;
  /** Folder that the places of components are relative to. */
  readonly folder: string;
  /** Default: the only predictor there is. */
  readonly predictor?: string | undefined;
  readonly python?: string | undefined;
  /** Worker processes of each node. */
  readonly workers?: number | undefined;
  readonly allowPickle?: readonly string[] | undefined;
}

/** A graph with what its nodes are made of. */
export interface OpenedGraph {
  readonly graph: GraphFile;
  /** By the names of nodes. */
  readonly components: ReadonlyMap<string, ModelDescription>;
}

/**
 * Reads a graph and the projects of its nodes.
 * @throws ToolError `PROJECT_NOT_FOUND`, `PROJECT_INVALID`, and what `loadProject` throws
 */
export async function openGraph(source: GraphSource, session: Surroundings): Promise<OpenedGraph> {
  const { graph, sources } = await readGraph(source, session);
  const nodes = nodesOf(graph.root);
  const places = await readPlaces(source, nodes, session);
  const components = new Map<string, ModelDescription>();
  for (const node of nodes) {
    const { place = places.get(node.name), service = serviceOf(node) } =
      sources.get(node.name) ?? {};
    if (place !== undefined)
      components.set(node.name, await describeNode(node, { place, service }, { source, session }));
    else checkElsewhere(node);
  }
  return { graph, components };
}

/** A graph, and what a project's file says of its nodes. */
interface ReadGraph {
  readonly graph: GraphFile;
  readonly sources: ProjectGraph["sources"];
}

/** A SeldonDeployment's graph, or that of a project file. */
async function readGraph(source: GraphSource, session: Standpoint): Promise<ReadGraph> {
  const { graph: file, predictor } = source;
  const text = await readText(file, session);
  if (basename(file) !== PROJECT_FILE_NAME)
    return { graph: await parseGraphFile(text, { file, predictor }), sources: new Map() };
  const { name, graph, env = {} } = await parseProjectFile(text, file);
  if (graph === undefined)
    throw new ToolError("PROJECT_INVALID", `open the graph: "${file}" has none`, {
      hint: "say graph: in it, or name a SeldonDeployment",
    });
  return {
    graph: {
      deployment: name ?? basename(dirname(resolve(session.cwd, file))),
      namespace: "default",
      predictor: "default",
      annotations: {},
      env,
      root: graph.root,
    },
    sources: graph.sources,
  };
}

/** @throws ToolError `PROJECT_INVALID` for a node that nothing can answer for */
function checkElsewhere({ name, endpoint, implementation }: GraphNode): void {
  if (endpoint !== undefined || implementation !== undefined) return;
  throw new ToolError(
    "PROJECT_INVALID",
    `open the graph: the node "${name}" has neither a component nor an endpoint`,
    { hint: `add "${name}": "File.py:Class" to the file that --components names` },
  );
}

/** Where the code of each node is, by node. */
async function readPlaces(
  { components: file }: GraphSource,
  nodes: readonly GraphNode[],
  session: Surroundings,
): Promise<ReadonlyMap<string, string>> {
  if (file === undefined) return new Map();
  const { value, refuse } = await parseDocumentBy(await readText(file, session), {
    file,
    what: "the components",
    maxBytes: MAX_COMPONENTS_BYTES,
    schema: {
      type: "object",
      additionalProperties: { type: "string", minLength: 1, title: "File.py:Class, or a folder" },
    },
  });
  const places = new Map(Object.entries(value).map(([name, place]) => [name, String(place)]));
  const known = new Set(nodes.map(({ name }) => name));
  for (const name of places.keys())
    if (!known.has(name))
      throw refuse(
        [name],
        `the graph has no node "${name}"`,
        `its nodes are ${[...known].slice(0, 20).join(", ")}`,
      );
  return places;
}

async function describeNode(
  node: GraphNode,
  { place, service }: Required<NodeSource>,
  { source, session }: { readonly source: GraphSource; readonly session: Surroundings },
): Promise<ModelDescription> {
  const { folder, python, workers, allowPickle } = source;
  const isClass = /\.(?:py|js|mjs|ts|mts):\w+$/.test(place);
  const { project } = await loadProject(
    isClass ? folder : resolve(session.cwd, folder, place),
    { ...(isClass && { code: place }), serviceType: service, allowPickle },
    { session },
  );
  const description = await describeProject(project, { python, workers }, session);
  return { ...description, name: node.name };
}

/** An output transformer, and a node that has methods only, is served like the class that it is: all of its methods answer. */
function serviceOf({ type }: GraphNode): ServiceType {
  if (type === "ROUTER" || type === "COMBINER" || type === "TRANSFORMER") return type;
  return type === "OUTPUT_TRANSFORMER" ? "TRANSFORMER" : "MODEL";
}

async function readText(file: string, { cwd }: Standpoint): Promise<string> {
  try {
    return await readFile(resolve(cwd, file), "utf8");
  } catch (error) {
    throw new ToolError(
      "PROJECT_NOT_FOUND",
      `read "${file}": ${error instanceof Error ? error.message : ""}`,
      { cause: error },
    );
  }
}
