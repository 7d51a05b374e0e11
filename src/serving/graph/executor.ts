import type { ComponentMethod } from "../plane/index.ts";
import {
  ALL_BRANCHES,
  branchIn,
  feedbackRouting,
  NO_BRANCH,
  withRouting,
} from "../protocols/index.ts";
import { InferenceError } from "../../ground/errors/index.ts";
import type { GraphNode } from "../../models/description/index.ts";
import type {
  GraphAnswer,
  GraphCaller,
  GraphMessage,
  NodePeer,
  NodeRun,
  RunAnswer,
} from "./contracts.ts";
import { failureAnswer, unansweredAnswer } from "./failure.ts";
import { stepsOf, type NodeSteps } from "./node-steps.ts";

const OK = 200;

/** A call to a node that was answered, or was not. */
export interface AnsweredCall {
  readonly node: GraphNode;
  readonly method: ComponentMethod;
  /** HTTP status; 500 when there was no answer. */
  readonly status: number;
  readonly seconds: number;
}

export interface ExecutorOptions {
  readonly root: GraphNode;
  /** By the names of nodes. One that is called and has none is a failure of the request. */
  readonly peers: ReadonlyMap<string, NodePeer>;
  /** Calls that can be made in one go, by the name of the node that they begin at. Default: none. */
  readonly runs?: ReadonlyMap<string, NodeRun> | undefined;
  /** Longest time for one call to a node, in ms. Default: no limit of the graph's own. */
  readonly timeoutMs?: number | undefined;
  /** Writes the branches that were taken into the answer's meta. */
  readonly injectsRouting: boolean;
  /** Readiness asks the nodes themselves how they are. Default: it is enough that they can be reached. */
  readonly checksHealth?: boolean | undefined;
  /** Told about every call. */
  readonly onCall?: ((call: AnsweredCall) => void) | undefined;
  /** Told about every failure that is not a node's own answer. */
  readonly onFailure?: ((error: unknown, caller: GraphCaller) => void) | undefined;
  /** Uniform, from 0 to below 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** One request on its way through the graph. */
interface Walk {
  readonly caller: GraphCaller;
  /** Branch by node, for those that chose one or were asked. */
  readonly routing: Map<string, number>;
}

/**
 * Walks messages through a graph as Seldon's executor does. Messages are bytes: nodes read and write them, the executor looks into the
 * answers of routers only. It never rejects: what goes wrong becomes an answer. Where the executor of Seldon ends, as it does for a branch
 * that is not there, this one answers 500.
 */
export class GraphExecutor {
  readonly #options: ExecutorOptions;
  readonly #steps: ReadonlyMap<string, NodeSteps>;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#steps = stepsOf(options.root);
  }

  predict(message: GraphMessage, caller: GraphCaller): Promise<GraphAnswer> {
    const walk: Walk = { caller, routing: new Map() };
    return this.#predict(this.#options.root, message, walk);
  }

  /** Children first, by the routing of the answer that the feedback is about. */
  feedback(message: GraphMessage, caller: GraphCaller): Promise<GraphAnswer> {
    const branchOf = feedbackRouting(message.body);
    return this.#feedback(this.#options.root, message, { caller, branchOf });
  }

  /** Asks one node what it says of itself, or how it is. */
  async ask(
    name: string,
    method: "metadata" | "health-status",
    caller: GraphCaller,
  ): Promise<GraphAnswer> {
    const node = this.#steps.get(name)?.node;
    if (node === undefined) return failureAnswer(`Failed to find model ${name}`);
    return this.#call(node, method, { message: NO_MESSAGE, caller });
  }

  /** Names of the nodes that are asked for something in requests. */
  get called(): readonly GraphNode[] {
    return [...this.#steps.values()].filter(({ isCalled }) => isCalled).map(({ node }) => node);
  }

  /** True when every node would be reached. Nodes without a peer count as there. */
  async isReady(): Promise<boolean> {
    const peers = [...this.#options.peers.values()];
    const isFull = this.#options.checksHealth === true;
    const found = await Promise.all(peers.map((peer) => peer.isReady(isFull)));
    return found.every(Boolean);
  }

  async #predict(node: GraphNode, message: GraphMessage, walk: Walk): Promise<GraphAnswer> {
    const run = this.#runAt(node, walk);
    const begun = run?.begin(message, walk.caller);
    if (run !== undefined && begun !== undefined) return this.#follow(run, await begun, walk);
    const entered = await this.#enter(node, message, walk);
    if (entered.status !== OK) return entered;
    const below = await this.#below(node, entered, walk);
    if (below.status !== OK) return below;
    const left = await this.#leave(node, below, walk);
    return this.#options.injectsRouting && left.status === OK
      ? { ...left, body: withRouting(left.body, walk.routing) }
      : left;
  }

  /** A run at this node. Limits of time, routing in answers and spans are of single calls, so there is none then. */
  #runAt({ name }: GraphNode, { caller }: Walk): NodeRun | undefined {
    const { runs, timeoutMs, injectsRouting } = this.#options;
    const isByCall = timeoutMs !== undefined || injectsRouting || caller.span !== undefined;
    return isByCall ? undefined : runs?.get(name);
  }

  /** Counts the calls of a run and makes those that are left. */
  async #follow(run: NodeRun, { answer, seconds }: RunAnswer, walk: Walk): Promise<GraphAnswer> {
    let last = answer;
    for (const [index, { node, method }] of run.steps.entries()) {
      const made = seconds[index];
      if (made !== undefined) {
        const status = index === seconds.length - 1 ? answer.status : OK;
        this.#options.onCall?.({ node, method, status, seconds: made });
      } else if (last.status === OK)
        last = await this.#call(node, method, { message: last, caller: walk.caller });
    }
    return last;
  }

  /** The node's work before its children: a transformer's, or a model's own. */
  #enter(node: GraphNode, message: GraphMessage, walk: Walk): GraphAnswer | Promise<GraphAnswer> {
    const { enter } = this.#stepsOf(node);
    if (enter === undefined) return { ...message, status: OK };
    walk.routing.set(node.name, ALL_BRANCHES);
    return this.#call(node, enter, { message, caller: walk.caller });
  }

  async #below(node: GraphNode, message: GraphAnswer, walk: Walk): Promise<GraphAnswer> {
    const { children } = node;
    if (children.length === 0) return message;
    const branch = await this.#branch(node, message, walk);
    if (typeof branch !== "number") return branch;
    walk.routing.set(node.name, branch);
    if (branch === NO_BRANCH) return message;
    const taken = takenOf(children, branch);
    if (taken === undefined) return this.#noBranch(node, branch, walk.caller);
    const answers = await Promise.all(taken.map((child) => this.#predict(child, message, walk)));
    return answers.find(({ status }) => status !== OK) ?? this.#join(node, answers, walk);
  }

  /** Where the message goes: a branch, or the error that a router gave instead. */
  async #branch(node: GraphNode, message: GraphMessage, walk: Walk): Promise<number | GraphAnswer> {
    const { routes, implementation } = this.#stepsOf(node);
    if (routes) {
      const answer = await this.#call(node, "route", { message, caller: walk.caller });
      return answer.status === OK ? this.#read(answer, walk) : hiddenBody(node, answer);
    }
    if (implementation?.kind !== "ab-test") return ALL_BRANCHES;
    const { ratio } = implementation;
    if (Number.isNaN(ratio))
      return failureAnswer(`choose a branch of "${node.name}": its ratioA is no number`);
    return (this.#options.random ?? Math.random)() < ratio ? 0 : 1;
  }

  #read({ body }: GraphAnswer, { caller }: Walk): number | GraphAnswer {
    try {
      return branchIn(body);
    } catch (error) {
      this.#options.onFailure?.(error, caller);
      return unansweredAnswer(error);
    }
  }

  #join(
    node: GraphNode,
    answers: readonly GraphAnswer[],
    walk: Walk,
  ): GraphAnswer | Promise<GraphAnswer> {
    const [first = failureAnswer("no child answered")] = answers;
    if (!this.#stepsOf(node).aggregates) return first;
    walk.routing.set(node.name, ALL_BRANCHES);
    return this.#call(node, "aggregate", { message: listOfMessages(answers), caller: walk.caller });
  }

  #leave(node: GraphNode, message: GraphAnswer, walk: Walk): GraphAnswer | Promise<GraphAnswer> {
    if (!this.#stepsOf(node).leaves) return message;
    return this.#call(node, "transform-output", { message, caller: walk.caller });
  }

  async #feedback(
    node: GraphNode,
    message: GraphMessage,
    about: { readonly caller: GraphCaller; readonly branchOf: (name: string) => number },
  ): Promise<GraphAnswer> {
    if (node.children.length > 0) {
      const branch = about.branchOf(node.name);
      const taken = takenOf(node.children, branch);
      if (taken === undefined) return this.#noBranch(node, branch, about.caller);
      const answers = await Promise.all(
        taken.map((child) => this.#feedback(child, message, about)),
      );
      const failed = answers.find(({ status }) => status !== OK);
      if (failed !== undefined) return failed;
    }
    return this.#stepsOf(node).takesFeedback
      ? this.#call(node, "send-feedback", { message, caller: about.caller })
      : { ...message, status: OK };
  }

  #noBranch(node: GraphNode, branch: number, caller: GraphCaller): GraphAnswer {
    const why = `take branch ${branch} of "${node.name}": it has ${node.children.length} children`;
    this.#options.onFailure?.(new Error(why), caller);
    return failureAnswer(why);
  }

  async #call(
    node: GraphNode,
    method: ComponentMethod,
    { message, caller }: { readonly message: GraphMessage; readonly caller: GraphCaller },
  ): Promise<GraphAnswer> {
    const startedAt = performance.now();
    const answer = await this.#answer(node, method, { message, caller });
    const seconds = (performance.now() - startedAt) / 1000;
    this.#options.onCall?.({ node, method, status: answer.status, seconds });
    return answer;
  }

  async #answer(
    node: GraphNode,
    method: ComponentMethod,
    { message, caller }: { readonly message: GraphMessage; readonly caller: GraphCaller },
  ): Promise<GraphAnswer> {
    const peer = this.#options.peers.get(node.name);
    const { timeoutMs, onFailure } = this.#options;
    if (peer === undefined)
      return failureAnswer(`call the node "${node.name}": nothing runs under this name`);
    const call = (signal?: AbortSignal): Promise<GraphAnswer> =>
      peer.call({ method, message, caller, signal });
    try {
      return await (timeoutMs === undefined ? call() : inTime(call, node, timeoutMs));
    } catch (error) {
      onFailure?.(error, caller);
      return unansweredAnswer(error);
    }
  }

  #stepsOf({ name }: GraphNode): NodeSteps {
    const steps = this.#steps.get(name);
    if (steps === undefined) throw new Error(`the graph has no node "${name}"`);
    return steps;
  }
}

const NO_MESSAGE: GraphMessage = { contentType: "", body: Buffer.alloc(0) };

/** The children that a branch means; undefined for a branch that is not there. */
function takenOf(children: readonly GraphNode[], branch: number): readonly GraphNode[] | undefined {
  if (branch === ALL_BRANCHES) return children;
  const child = children[branch];
  return child === undefined ? undefined : [child];
}

/** The error of a router loses its body, as in Seldon's executor. */
function hiddenBody(node: GraphNode, { status }: GraphAnswer): GraphAnswer {
  const info = `Internal service call from executor failed calling ${node.name}/route status code ${status}`;
  return failureAnswer(info, status);
}

/** A bare JSON list of messages. */
function listOfMessages(answers: readonly GraphMessage[]): GraphMessage {
  const parts = answers.flatMap(({ body }, index) => [Buffer.from(index === 0 ? "[" : ","), body]);
  return { contentType: "application/json", body: Buffer.concat([...parts, Buffer.from("]")]) };
}

/** @throws ToolError `MODEL_TIMEOUT` when the time is over; the call is told by its signal, and not waited for */
async function inTime(
  call: (signal: AbortSignal) => Promise<GraphAnswer>,
  node: GraphNode,
  timeoutMs: number,
): Promise<GraphAnswer> {
  const controller = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const why = `call the node "${node.name}": no answer within ${timeoutMs} ms`;
    const error = new InferenceError("MODEL_TIMEOUT", why, {
      hint: "raise the annotation seldon.io/rest-timeout",
    });
    reject(error);
    controller.abort(error);
  }, timeoutMs);
  try {
    return await Promise.race([call(controller.signal), promise]);
  } finally {
    clearTimeout(timer);
  }
}
