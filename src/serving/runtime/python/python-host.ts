import type {
  CallerOptions,
  ComponentMessage,
  ComponentMethod,
  ComponentRequest,
  GraphComponent,
  Predictor,
} from "../../plane/index.ts";
import type { ProcessFacts } from "./facts.ts";
import type { WorkerPool } from "./pool.ts";
import { pooledPredictor } from "./pooled-predictor.ts";
import { startPool, type PooledModel } from "./start-pool.ts";
import { parseObject } from "./user-failure.ts";
import { methodNumber } from "./wire.ts";
import { RunError } from "./worker-call.ts";

/** One call of a run. */
export interface HostedStep {
  /** Number of the model in its host. */
  readonly component: number;
  readonly method: ComponentMethod;
}

/** A call of a run that was made. */
interface HostedCall {
  readonly seconds: number;
  /** JSON text as the class gave it. */
  readonly tags?: string;
  readonly metrics?: string;
}

/** What came of a run: the answer of its last call, or what that one failed with. */
interface HostedRun {
  readonly calls: readonly HostedCall[];
  readonly outcome: { readonly message: ComponentMessage } | { readonly error: unknown };
}

export interface PythonHost {
  /** In the order of the models. */
  readonly loaders: readonly HostedLoader[];
  /** False for a first call's method that wants whole messages, and before the models are loaded. */
  mayRun(steps: readonly HostedStep[]): boolean;
  /**
   * Makes calls in one go, each on the answer of the one before. It ends early where only a message can tell what the next one gets, and when it
   * takes long. Rejects with what is no call's own failure.
   */
  run(
    steps: readonly HostedStep[],
    request: ComponentRequest,
    caller?: CallerOptions,
  ): Promise<HostedRun>;
}

/** Loads one model of a host. @throws as `createPythonPredictor` does, for whichever of the host's models fails */
export type HostedLoader = () => Promise<Predictor & GraphComponent>;

/**
 * Several models in the same worker processes, which spares a process for each, and a write for each call of requests that go from one to the
 * next. The processes start with the first loader that is called and end when all predictors are disposed. Their number, limits and interpreter
 * are those of the first model. Calls of one process run one after the other, whichever model they are for; a process that ends takes all of its
 * models with it.
 * @param models - of one code folder and one interpreter
 */
export function createPythonHost(models: readonly PooledModel[]): PythonHost {
  let pool: Promise<WorkerPool> | undefined;
  let running: WorkerPool | undefined;
  let users = 0;
  const loaders = models.map(({ description }, component): HostedLoader => async () => {
    pool ??= startPool(models);
    users += 1;
    const opened = await pool;
    running = opened;
    const close = once(async () => {
      users -= 1;
      if (users === 0) await opened[Symbol.asyncDispose]();
    });
    const predictor = {
      ...pooledPredictor(opened, description, component),
      [Symbol.asyncDispose]: close,
    };
    // the first one speaks for the process, which counts once
    return component > 0
      ? predictor
      : {
          ...predictor,
          get stats() {
            return opened.stats;
          },
        };
  });
  return {
    loaders,
    mayRun: (steps) => running?.ready !== undefined && isRun(steps, running.ready),
    run: async (steps, request, caller = {}) => {
      if (running === undefined) throw new Error("a run before the models are loaded");
      return runOn(running, steps, { request, caller });
    },
  };
}

function isRun(steps: readonly HostedStep[], ready: ProcessFacts): boolean {
  return steps.every(({ component, method }, index) => {
    const facts = component === 0 ? ready : ready.others[component - 1];
    if (facts === undefined || facts.speaksTensors || facts.threads > 1) return false;
    const wantsWhole = facts.graph.wantsWhole?.rest.includes(method) === true;
    return index === 0 ? !wantsWhole : facts.follows.includes(method);
  });
}

async function runOn(
  pool: WorkerPool,
  steps: readonly HostedStep[],
  { request, caller }: { readonly request: ComponentRequest; readonly caller: CallerOptions },
): Promise<HostedRun> {
  const run = steps
    .map(({ component, method }) => `${component}:${methodNumber(method)}`)
    .join(",");
  const call = { kind: "graph", request, run, component: steps[0]?.component ?? 0 } as const;
  try {
    const response = await pool.enter(call, caller).done;
    if (response === undefined) throw new Error("a run without an answer");
    const { message, tags: times = "", metrics: said } = response;
    return {
      calls: callsOf(times, said === undefined ? undefined : JSON.parse(said)),
      outcome: { message },
    };
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    const { times, said } = parseObject(error.told);
    const made = typeof times === "string" && times !== "" ? callsOf(times, said) : [];
    return { calls: [...made, { seconds: 0 }], outcome: { error: error.cause } };
  }
}

/** @param times - microseconds of each call, with commas between. @param said - tags and metrics of each, where any of them had some */
function callsOf(times: string, said: unknown): readonly HostedCall[] {
  const texts: readonly unknown[] = Array.isArray(said) ? said : [];
  return times.split(",").map((text, index) => {
    const entry = texts[index];
    const [tags, metrics]: readonly unknown[] = Array.isArray(entry) ? entry : [];
    return {
      seconds: Number(text) / 1_000_000,
      ...(typeof tags === "string" && { tags }),
      ...(typeof metrics === "string" && { metrics }),
    };
  });
}

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= action());
}
