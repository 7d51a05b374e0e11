import { createHttpClient } from "../../ground/http/index.ts";
import {
  nodesOf,
  parseYaml,
  type GraphFile,
  type GraphNode,
  type ModelDescription,
} from "../../models/description/index.ts";
import { createRemoteNode, type NodePeer } from "../graph/index.ts";
import type { MetricRegistry } from "../metrics/index.ts";
import type { ModelRepository, ServedModel, Tracer } from "../plane/index.ts";
import { createSeldonNode, nodeLabels, nodeOf, type FailureNote } from "../protocols/index.ts";
import { loadPredictor } from "./load-predictor.ts";
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
  readonly maxBodyBytes: number;
  readonly tracer: Tracer | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onFailure: (error: unknown, note: FailureNote) => void;
  readonly onRestart: () => void;
}

/** Peers of a graph's nodes, with the client that calls those elsewhere. */
export interface GraphPeers extends Disposable {
  readonly peers: ReadonlyMap<string, NodePeer>;
}

/**
 * Makes a peer of every node that has a component or an endpoint; a component comes first. Models are made known to `place.models`, and not
 * loaded.
 */
export async function createGraphPeers(place: GraphPlace): Promise<GraphPeers> {
  const client = createHttpClient(); // nodes are neighbours: no proxy stands between
  const peers = new Map<string, NodePeer>();
  for (const node of nodesOf(place.graph.root)) {
    const description = place.components.get(node.name);
    const { name, endpoint } = node;
    if (description !== undefined) peers.set(name, await createLocalNode(node, description, place));
    else if (endpoint !== undefined)
      peers.set(
        name,
        createRemoteNode({ name, endpoint, client, maxAnswerBytes: place.maxBodyBytes }),
      );
  }
  return { peers, [Symbol.dispose]: () => client[Symbol.dispose]() };
}

const HEALTH_CALL = {
  method: "health-status",
  contentType: "",
  body: Buffer.alloc(0),
  requestId: "ready",
} as const;

/** A node as a model of this process tree. */
async function createLocalNode(
  node: GraphNode,
  description: ModelDescription,
  place: GraphPlace,
): Promise<NodePeer> {
  const env = nodeEnvironment(node, place);
  const launch = parseSeldonLaunch([], env);
  const { settings } = launch;
  const model = addModel(node, description, { place, launch, env });
  const ask = createSeldonNode({
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
  return {
    isReady: async (isFull) =>
      model.isReady && (!isFull || (await ask(HEALTH_CALL)).status === 200),
    call: async ({ method, message, caller }) => {
      const { requestId, span, waiting } = caller;
      const reply = await ask({ method, ...message, requestId, span, waiting });
      const { status, contentType, body } = reply;
      return {
        ...{ status, contentType },
        body: typeof body === "string" ? Buffer.from(body, "latin1") : body,
      };
    },
  };
}

function addModel(
  { name }: GraphNode,
  description: ModelDescription,
  { place, launch, env }: { place: GraphPlace; launch: SeldonLaunch; env: Environment },
): ServedModel {
  const { models, log, tracer, signal, onRestart } = place;
  const { settings, parameters } = launch;
  return models.add({
    name,
    version: "1",
    labels: nodeLabels(settings),
    load: (_, statistics) =>
      loadPredictor(description, {
        ...{ settings, parameters, env, tracer, signal, log, statistics },
        logLevel: place.logLevel ?? launch.logLevel,
        threads: place.threads ?? launch.threads,
        onRestart: (event) => {
          onRestart();
          log.warn({ node: name, ...event }, "a worker ended and is started again");
        },
      }),
  });
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
