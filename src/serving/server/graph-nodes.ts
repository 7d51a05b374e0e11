import { createHttpClient, type HttpClient } from "../../ground/http/index.ts";
import {
  nodesOf,
  parseYaml,
  type GraphFile,
  type GraphNode,
  type ModelDescription,
  type NodeEndpoint,
} from "../../models/description/index.ts";
import {
  createRemoteGrpcNode,
  createRemoteNode,
  type NodePeer,
  type NodeRun,
} from "../graph/index.ts";
import type { MetricRegistry } from "../metrics/index.ts";
import type { ModelRepository, ServedModel, Tracer } from "../plane/index.ts";
import {
  createSeldonNode,
  nodeLabels,
  nodeOf,
  SeldonApi,
  type FailureNote,
} from "../protocols/index.ts";
import { hostNodes, type HostedNode } from "./graph-hosts.ts";
import { answerOf, graphRuns, type LocalNode } from "./graph-runs.ts";
import { loadPredictor, pythonOptions, type LoadOptions } from "./load-predictor.ts";
import type { Logger } from "./log/index.ts";
import { parseSeldonLaunch, type Environment, type SeldonLaunch } from "./seldon/launch.ts";

/** What the nodes of a graph share. */
export interface GraphPlace {
  readonly graph: GraphFile;
  /** By the names of nodes that run here. */
  readonly components: ReadonlyMap<string, ModelDescription>;
  readonly models: ModelRepository;
  readonly registry: MetricRegistry;
  readonly log: Logger;
  /** Environment of all nodes; what their containers say comes over it. */
  readonly env: Environment;
  readonly threads?: number | undefined;
  readonly logLevel?: string | undefined;
  /** Gives each node's Python code a process of its own. Default: nodes that follow each other share one. */
  readonly isolatesNodes?: boolean | undefined;
  readonly maxBodyBytes: number;
  readonly tracer: Tracer | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onFailure: (error: unknown, note: FailureNote) => void;
  readonly onRestart: () => void;
}

/** Peers of a graph's nodes, with the client that calls those elsewhere. */
export interface GraphPeers extends Disposable {
  readonly peers: ReadonlyMap<string, NodePeer>;
  /** Calls that can be made in one go, by the node that they begin at. */
  readonly runs: ReadonlyMap<string, NodeRun>;
}

/**
 * Makes a peer of every node that has a component or an endpoint; a component comes first. Models are made known to `place.models`, and not
 * loaded.
 */
export async function createGraphPeers(place: GraphPlace): Promise<GraphPeers> {
  const client = createHttpClient(); // nodes are neighbours: no proxy stands between
  const peers = new Map<string, NodePeer>();
  const local = new Map<string, LocalNode>();
  const remote: Disposable[] = [];
  const hosts = place.isolatesNodes === true ? new Map<string, HostedNode>() : hostsIn(place);
  for (const node of nodesOf(place.graph.root)) {
    const description = place.components.get(node.name);
    const { name, endpoint } = node;
    if (description !== undefined) {
      const made = await createLocalNode(node, description, { place, hosted: hosts.get(name) });
      local.set(name, made);
      peers.set(name, localPeer(made));
    } else if (endpoint !== undefined) {
      const far = createEndpointNode(name, endpoint, { client, place });
      peers.set(name, far);
      remote.push(far);
    }
  }
  const runs = graphRuns(place.graph.root, local);
  const close = (): void => {
    client[Symbol.dispose]();
    remote.forEach((one) => one[Symbol.dispose]());
  };
  return { peers, runs, [Symbol.dispose]: close };
}

/** A node elsewhere: asked over gRPC for requests that came so, over REST for others, as far as it has both. */
function createEndpointNode(
  name: string,
  { host, httpPort, grpcPort }: NodeEndpoint,
  { client, place }: { readonly client: HttpClient; readonly place: GraphPlace },
): NodePeer & Disposable {
  const common = { name, host, maxAnswerBytes: place.maxBodyBytes };
  const rest =
    httpPort === undefined ? undefined : createRemoteNode({ ...common, httpPort, client });
  const grpc =
    grpcPort === undefined ? undefined : createRemoteGrpcNode({ ...common, port: grpcPort });
  const first = rest ?? grpc;
  if (first === undefined) throw new Error(`the node "${name}" has no port`);
  return {
    isReady: (isFull) => first.isReady(isFull),
    call: (call) => ((call.caller.isGrpc === true ? grpc : undefined) ?? first).call(call),
    [Symbol.dispose]: () => grpc?.[Symbol.dispose](),
  };
}

const HEALTH_CALL = {
  method: "health-status",
  contentType: "",
  body: Buffer.alloc(0),
  requestId: "ready",
} as const;

/** Processes that nodes share. */
function hostsIn(place: GraphPlace): ReadonlyMap<string, HostedNode> {
  return hostNodes({
    root: place.graph.root,
    components: place.components,
    optionsOf: (node, description) => {
      const env = nodeEnvironment(node, place);
      const launch = parseSeldonLaunch([], env);
      return pythonOptions(description, codeOptions(node, { place, launch, env }));
    },
  });
}

/** Where a node is loaded: `hosted` where it shares a process. */
interface NodePlace {
  readonly place: GraphPlace;
  readonly hosted: HostedNode | undefined;
}

/** A node as a model of this process tree. */
async function createLocalNode(
  node: GraphNode,
  description: ModelDescription,
  { place, hosted }: NodePlace,
): Promise<LocalNode> {
  const env = nodeEnvironment(node, place);
  const launch = parseSeldonLaunch([], env);
  const { settings } = launch;
  const model = addModel(node, description, { place, launch, env, hosted });
  const api = new SeldonApi({
    model,
    settings,
    registry: place.registry,
    metadataFromEnv:
      settings.modelMetadata === undefined
        ? undefined
        : nodeOf(await parseYaml(settings.modelMetadata)),
    signature: description.signature,
    onFailure: (error, { isBug }, requestId) => place.onFailure(error, { isBug, requestId }),
  });
  return { api, hosted };
}

function localPeer({ api }: LocalNode): NodePeer {
  const ask = createSeldonNode(api);
  return {
    isReady: async (isFull) =>
      api.model.isReady && (!isFull || (await ask(HEALTH_CALL)).status === 200),
    call: async ({ method, message, caller }) => {
      const { requestId, span, waiting } = caller;
      return answerOf(await ask({ method, ...message, requestId, span, waiting }));
    },
  };
}

interface NodeLaunch {
  readonly place: GraphPlace;
  readonly launch: SeldonLaunch;
  readonly env: Environment;
}

function addModel(
  node: GraphNode,
  description: ModelDescription,
  { hosted, ...rest }: NodeLaunch & Pick<NodePlace, "hosted">,
): ServedModel {
  const { place, launch } = rest;
  return place.models.add({
    name: node.name,
    version: "1",
    labels: nodeLabels(launch.settings),
    load: (_, statistics) =>
      loadPredictor(description, {
        ...codeOptions(node, rest),
        hosted: hosted?.host.loaders[hosted.component],
        statistics,
      }),
  });
}

function codeOptions(
  { name }: GraphNode,
  { place, launch, env }: NodeLaunch,
): Omit<LoadOptions, "statistics"> {
  const { log, tracer, signal, onRestart } = place;
  const { settings, parameters } = launch;
  return {
    ...{ settings, parameters, env, tracer, signal, log },
    logLevel: place.logLevel ?? launch.logLevel,
    threads: place.threads ?? launch.threads,
    onRestart: (event) => {
      onRestart();
      log.warn({ node: name, ...event }, "a worker ended and is started again");
    },
  };
}

/** What the operator tells the container of a node. Nodes answer like Seldon's wrapper to the last quirk, unless they are told not to. */
function nodeEnvironment(
  { name, image, parameters, env }: GraphNode,
  place: GraphPlace,
): Environment {
  const { deployment, predictor, version } = place.graph;
  return {
    SELDON_STRICT_COMPAT: "1",
    ...place.env,
    ...env,
    MODEL_NAME: undefined,
    SERVICE_TYPE: undefined,
    PREDICTIVE_UNIT_ID: name,
    ...(image !== undefined && { PREDICTIVE_UNIT_IMAGE: image }),
    PREDICTIVE_UNIT_PARAMETERS: JSON.stringify(parameters),
    SELDON_DEPLOYMENT_ID: deployment,
    PREDICTOR_ID: predictor,
    ...(version !== undefined && { PREDICTOR_LABELS: JSON.stringify({ version }) }),
  };
}
