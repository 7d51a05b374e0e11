import type { ModelDescription } from "../../../models/description/index.ts";
import type { Signature } from "../../../models/tensor/index.ts";
import { predictorOfGraph, type GraphComponent, type Predictor } from "../../plane/index.ts";
import type { ReadyFacts } from "./facts.ts";
import { tensorPredictor } from "./infer-tensors.ts";
import type { PoolCalls, WorkerPool } from "./pool.ts";

/** One component of a pool's processes, as what the server asks; whoever owns the pool ends it. */
export type PooledPredictor = Omit<Predictor, typeof Symbol.asyncDispose | "stats"> &
  GraphComponent;

/** @param component - its number in each process; the pool is ready */
export function pooledPredictor(
  pool: WorkerPool,
  description: ModelDescription,
  component: number,
): PooledPredictor {
  const { name: model, kind, contract, signature } = description;
  const platform = kind === "class" ? "python_class" : `python_${kind}`;
  const ready = component === 0 ? pool.ready : pool.ready?.others[component - 1];
  const graph: GraphComponent = {
    get facts() {
      return ready?.graph ?? pool.facts;
    },
    call: (request, caller) => pool.call(request, caller, component),
  };
  const calls: PoolCalls = {
    enter: (call, caller) => pool.enter({ ...call, component }, caller),
    cancel: (flight) => pool.cancel(flight),
  };
  const members =
    ready?.speaksTensors === true
      ? tensorPredictor(calls, { model, platform, ready: withSignature(ready, signature) })
      : {
          ...predictorOfGraph(graph, {
            model,
            platform,
            signature,
            takesRawBody: contract === "uai",
          }),
          graph,
        };
  return {
    ...members,
    facts: graph.facts,
    call: async (request, caller) => graph.call(request, caller),
    abandon: () => pool.abandon(),
  };
}

/** A loader that cannot say what its model takes leaves that to what the files say. */
function withSignature(ready: ReadyFacts, described: Signature | undefined): ReadyFacts {
  const isSaid = (ready.signature?.inputs.length ?? 0) > 0;
  return isSaid || described === undefined ? ready : { ...ready, signature: described };
}
