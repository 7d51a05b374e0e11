import type { GraphNode } from "../../models/description/index.ts";
import type { CallerOptions, ComponentMethod, SpanContext } from "../plane/index.ts";

/** A message as it travels: nobody takes it apart on the way. */
export interface GraphMessage {
  /** As it was said; empty when nothing was said. */
  readonly contentType: string;
  readonly body: Buffer;
}

/** What a node, or the graph, answers. Anything but 200 is an error, and ends the walk. */
export interface GraphAnswer extends GraphMessage {
  /** HTTP status. */
  readonly status: number;
}

/** The request that a call to a node belongs to. */
export interface GraphCaller {
  /** Of the whole request, for all nodes. */
  readonly requestId: string;
  /** Headers of the request, names in lower case; nodes elsewhere get them. */
  readonly headers: Readonly<Record<string, string>>;
  /** True for a request that came over gRPC: nodes elsewhere are asked over gRPC then, as in Seldon's executor. */
  readonly isGrpc?: boolean;
  readonly span?: SpanContext | undefined;
  readonly waiting?: CallerOptions | undefined;
}

/** One call to a node. */
export interface NodeCall {
  readonly method: ComponentMethod;
  readonly message: GraphMessage;
  readonly caller: GraphCaller;
  /** Aborted when the call's time is over. */
  readonly signal: AbortSignal | undefined;
}

/** One call of a run. */
export interface RunStep {
  readonly node: GraphNode;
  readonly method: ComponentMethod;
}

/** What came of a run: the answer of the last call that was made. */
export interface RunAnswer {
  readonly answer: GraphAnswer;
  /** Of each call that was made, in s. */
  readonly seconds: readonly number[];
}

/** Calls to nodes that follow each other, made in one go. */
export interface NodeRun {
  readonly steps: readonly RunStep[];
  /** Makes the calls, all or the first of them. Undefined for a message that has to be taken from node to node. */
  readonly begin: (message: GraphMessage, caller: GraphCaller) => Promise<RunAnswer> | undefined;
}

/** What answers for a node of a graph: a model in this process tree, a server elsewhere, or a test's fake. */
export interface NodePeer {
  /** Answers with whatever status the node has. Rejects with a ToolError when the node does not answer at all. */
  call(call: NodeCall): Promise<GraphAnswer>;
  /** True when a call made now would reach it; with `isFull` the node itself is asked how it is. */
  isReady(isFull: boolean): Promise<boolean>;
}
