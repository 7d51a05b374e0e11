/** Types of a graph's nodes, as the definition of SeldonDeployment has them. */
export const NODE_TYPES = [
  "UNKNOWN_TYPE",
  "MODEL",
  "ROUTER",
  "COMBINER",
  "TRANSFORMER",
  "OUTPUT_TRANSFORMER",
] as const;
export type NodeType = (typeof NODE_TYPES)[number];

/** Calls that a node takes beside those of its type. */
export const NODE_METHODS = [
  "TRANSFORM_INPUT",
  "TRANSFORM_OUTPUT",
  "ROUTE",
  "AGGREGATE",
  "SEND_FEEDBACK",
] as const;
export type NodeMethod = (typeof NODE_METHODS)[number];

/** Where a node that runs elsewhere answers; one port at least. */
export interface NodeEndpoint {
  readonly host: string;
  /** Of REST. */
  readonly httpPort?: number;
  readonly grpcPort?: number;
}

/** A typed argument of a node's class; `value` is text whatever the type is. */
export interface NodeParameter {
  readonly name: string;
  readonly value: string;
  readonly type: string;
}

/** A node with what hangs below it. Names are unique in a graph. */
export interface GraphNode {
  readonly name: string;
  /** MODEL where the file says neither type, methods nor implementation. */
  readonly type?: NodeType;
  /** Such as `RANDOM_ABTEST`; a node with one may have no container. */
  readonly implementation?: string;
  readonly methods: readonly NodeMethod[];
  readonly parameters: readonly NodeParameter[];
  readonly endpoint?: NodeEndpoint;
  readonly children: readonly GraphNode[];
  /** Image of the container of the same name. */
  readonly image?: string;
  /** Environment of that container, as far as its values stand in the file. */
  readonly env: Readonly<Record<string, string>>;
}

/** One predictor of a SeldonDeployment. */
export interface GraphFile {
  /** Name of the deployment. */
  readonly deployment: string;
  readonly namespace: string;
  readonly predictor: string;
  /** Label `version` of the predictor. */
  readonly version?: string;
  /** Those of the deployment, and over them those of the predictor. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Environment of the executor, from `svcOrchSpec`. */
  readonly env: Readonly<Record<string, string>>;
  readonly root: GraphNode;
}

/** All nodes, each before its children. */
export function nodesOf(root: GraphNode): readonly GraphNode[] {
  return [root, ...root.children.flatMap(nodesOf)];
}
