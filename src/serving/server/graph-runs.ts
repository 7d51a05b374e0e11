import type { GraphNode } from "../../models/description/index.ts";
import {
  straightSteps,
  type GraphAnswer,
  type NodeRun,
  type RunAnswer,
  type RunStep,
} from "../graph/index.ts";
import { createSeldonRun, type SeldonApi } from "../protocols/index.ts";
import type { HostedStep, PythonHost } from "../runtime/index.ts";
import type { Reply } from "../transport/index.ts";
import type { HostedNode } from "./graph-hosts.ts";

/** A node whose model runs in this process tree. */
export interface LocalNode {
  readonly api: SeldonApi;
  /** Its place in a process that it shares with others. */
  readonly hosted: HostedNode | undefined;
}

interface PlacedStep extends RunStep {
  readonly local: LocalNode;
  readonly hosted: HostedNode;
}

/** Calls of one process that always follow each other, by the node that they begin at. */
export function graphRuns(
  root: GraphNode,
  nodes: ReadonlyMap<string, LocalNode>,
): ReadonlyMap<string, NodeRun> {
  const steps = straightSteps(root);
  const run = steps === undefined ? undefined : runOf(steps, nodes);
  if (run !== undefined) return new Map([[root.name, run]]);
  return new Map(root.children.flatMap((child) => [...graphRuns(child, nodes)]));
}

function runOf(
  steps: readonly RunStep[],
  nodes: ReadonlyMap<string, LocalNode>,
): NodeRun | undefined {
  const placed = steps.flatMap((step) => {
    const local = nodes.get(step.node.name);
    return local?.hosted === undefined ? [] : [{ ...step, local, hosted: local.hosted }];
  });
  const [first, ...others] = placed;
  if (first === undefined || others.length === 0 || placed.length !== steps.length)
    return undefined;
  const { host } = first.hosted;
  if (others.some((step) => step.hosted.host !== host || readsItsOwnWay(step))) return undefined;
  return beginning(placed, host);
}

/** True for a node that has more to do with a message than to read it. */
function readsItsOwnWay({ local: { api } }: PlacedStep): boolean {
  return api.settings.checksShapes || api.settings.isPassthrough;
}

function beginning(steps: readonly PlacedStep[], host: PythonHost): NodeRun {
  const asked = steps.map(({ hosted: { component }, method }): HostedStep => ({
    component,
    method,
  }));
  const ask = createSeldonRun({
    steps: steps.map(({ local: { api }, method }) => ({ api, method })),
    ask: (request, caller) => host.run(asked, request, caller),
  });
  const count = ({ answer, seconds }: RunAnswer): void => {
    for (const [index, { local }] of steps.slice(0, seconds.length).entries()) {
      const { statistics } = local.api.model;
      const isFailed = index === seconds.length - 1 && answer.status >= 500;
      statistics.lastCallAt = Date.now();
      if (isFailed) statistics.failed(1000 * (seconds[index] ?? 0));
      else statistics.answered(1, 1000 * (seconds[index] ?? 0));
    }
  };
  return {
    steps,
    begin: (message, { requestId, waiting }) => {
      if (!host.mayRun(asked)) return undefined;
      return ask({ method: asked[0]?.method ?? "predict", ...message, requestId, waiting })?.then(
        ({ reply, seconds }) => {
          const made = { answer: answerOf(reply), seconds };
          count(made);
          return made;
        },
      );
    },
  };
}

/** A reply of the wrapper's interface as a node's answer. */
export function answerOf({ status, contentType, body }: Reply): GraphAnswer {
  return {
    ...{ status, contentType },
    body: typeof body === "string" ? Buffer.from(body, "latin1") : body,
  };
}
