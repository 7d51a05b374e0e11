import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

/** Clients that go on asking until they are told to stop. */
export interface SteadyLoad {
  /** Resolves when so many requests were answered with 200. */
  reached(count: number): Promise<void>;
  /** Lets requests that are under way end. */
  stop(): Promise<LoadReport>;
}

export interface LoadReport {
  readonly answered: number;
  /** How often each failure came. */
  readonly lost: ReadonlyMap<string, number>;
  /** Answers by the tag `version`. */
  readonly versions: ReadonlyMap<string, number>;
}

export interface LoadOptions {
  readonly host: string;
  readonly port: number;
  /** Connections that are kept, connections of one request each, and clients whose requests take 3 s. */
  readonly clients: { readonly kept: number; readonly fresh: number; readonly slow: number };
  /** Between two requests of one client. Default 10. */
  readonly pauseMs?: number;
}

const TIMEOUT_MS = 30_000;
const QUICK = JSON.stringify({ data: { ndarray: [[1, 2]] } });
const SLOW = JSON.stringify({ data: { ndarray: [[-3, 0]] } });

/** Starts clients that never try a request twice. */
export function startSteadyLoad({ host, port, clients, pauseMs = 10 }: LoadOptions): SteadyLoad {
  const lost = new Map<string, number>();
  const versions = new Map<string, number>();
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  let answered = 0;
  let isStopping = false;
  const agents: Agent[] = [];
  const loop = async (isKept: boolean, body: string): Promise<void> => {
    const agent = new Agent({ keepAlive: isKept, maxSockets: 1 });
    agents.push(agent);
    while (!isStopping) {
      try {
        const version = await ask({ host, port, agent, body });
        versions.set(version, (versions.get(version) ?? 0) + 1);
        answered += 1;
        for (const { count, resolve } of waiting) if (answered >= count) resolve();
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        lost.set(why, (lost.get(why) ?? 0) + 1);
      }
      await pause(pauseMs);
    }
  };
  const loops = [
    ...Array.from({ length: clients.kept }, () => loop(true, QUICK)),
    ...Array.from({ length: clients.fresh }, () => loop(false, QUICK)),
    ...Array.from({ length: clients.slow }, (_, index) => loop(index % 2 === 0, SLOW)),
  ];
  return {
    reached: (count) =>
      answered >= count
        ? Promise.resolve()
        : new Promise((resolve) => waiting.push({ count, resolve })),
    stop: async () => {
      isStopping = true;
      await Promise.all(loops);
      for (const agent of agents) agent.destroy();
      return { answered, lost, versions };
    },
  };
}

interface Asking {
  readonly host: string;
  readonly port: number;
  readonly agent: Agent;
  readonly body: string;
}

/** One request. @returns the answer's tag `version`. */
function ask({ host, port, agent, body }: Asking): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...{ host, port, agent },
        path: "/predict",
        method: "POST",
        headers: { "content-type": "application/json", "content-length": body.length },
        timeout: TIMEOUT_MS,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          if (response.statusCode !== 200)
            return reject(new Error(`${response.statusCode} ${text.slice(0, 80)}`));
          const { meta } = JSON.parse(text) as {
            readonly meta?: { readonly tags?: { readonly version?: string } };
          };
          resolve(meta?.tags?.version ?? "");
        });
      },
    );
    sent.on("timeout", () => sent.destroy(new Error("no answer in time")));
    sent.on("error", reject);
    sent.end(body);
  });
}
