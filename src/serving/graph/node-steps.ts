import {
  nodesOf,
  type GraphNode,
  type NodeMethod,
  type NodeType,
} from "../../models/description/index.ts";
import type { RunStep } from "./contracts.ts";

/** What a request makes of a node. */
export interface NodeSteps {
  readonly node: GraphNode;
  /** Call before the children; none where the message goes on as it is. */
  readonly enter: "transform-input" | "predict" | undefined;
  /** Asked for the branch. */
  readonly routes: boolean;
  /** Asked for one answer from those of its children. */
  readonly aggregates: boolean;
  /** Called on the way back. */
  readonly leaves: boolean;
  readonly takesFeedback: boolean;
  /** What the executor itself does in place of the node. */
  readonly implementation: AbTest | undefined;
  /** True when any of the calls may be made. */
  readonly isCalled: boolean;
}

/** Sends a share of all messages to the first child, the rest to the second. */
interface AbTest {
  readonly kind: "ab-test";
  /** Share of the first child, 0 to 1; NaN where it cannot be read. */
  readonly ratio: number;
}

/** The steps of every node, by name. */
export function stepsOf(root: GraphNode): ReadonlyMap<string, NodeSteps> {
  return new Map(nodesOf(root).map((node) => [node.name, stepsOfNode(node)]));
}

/** The calls of a request that enters here, where they are always the same ones, one after the other; undefined where anything is chosen or joined. */
export function straightSteps(node: GraphNode): readonly RunStep[] | undefined {
  const { enter, leaves, routes, aggregates, implementation } = stepsOfNode(node);
  const { children } = node;
  const [child] = children;
  if (routes || aggregates || implementation !== undefined || children.length > 1) return undefined;
  const below = child === undefined ? [] : straightSteps(child);
  if (below === undefined) return undefined;
  return [
    ...(enter === undefined ? [] : [{ node, method: enter }]),
    ...below,
    ...(leaves ? [{ node, method: "transform-output" as const }] : []),
  ];
}

function stepsOfNode(node: GraphNode): NodeSteps {
  const { type, methods, children } = node;
  const is = (wanted: NodeType, method: NodeMethod): boolean =>
    type === wanted || methods.includes(method);
  const hasChildren = children.length > 0;
  const steps = {
    enter: enterOf(type, is("TRANSFORMER", "TRANSFORM_INPUT")),
    routes: hasChildren && is("ROUTER", "ROUTE"),
    aggregates: hasChildren && is("COMBINER", "AGGREGATE"),
    leaves: is("OUTPUT_TRANSFORMER", "TRANSFORM_OUTPUT"),
    takesFeedback: type === "MODEL" || is("ROUTER", "SEND_FEEDBACK"),
  };
  const isCalled = Object.values(steps).some((step) => step !== undefined && step !== false);
  return { node, ...steps, isCalled, implementation: abTestOf(node) };
}

function enterOf(type: GraphNode["type"], transforms: boolean): NodeSteps["enter"] {
  if (transforms) return "transform-input";
  return type === "MODEL" ? "predict" : undefined;
}

/** As in Seldon's executor, `ratioA` counts only where it is the one parameter. */
function abTestOf({ implementation, parameters }: GraphNode): AbTest | undefined {
  if (implementation !== "RANDOM_ABTEST") return undefined;
  const [parameter] = parameters;
  const isSaid = parameters.length === 1 && parameter?.name === "ratioA";
  const text = isSaid ? parameter.value.trim() : "0.5";
  return { kind: "ab-test", ratio: text === "" ? Number.NaN : Number(text) };
}
