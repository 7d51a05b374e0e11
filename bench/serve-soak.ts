import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { holdIdle } from "./lib/idle-clients.ts";
import { publish } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";
import { startSlipway, treeOf, type TreeMemory } from "./lib/model-servers.ts";
import { fitSlope, summarize } from "./lib/stats.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    minutes: { type: "string" },
    workers: { type: "string", default: "2" },
    idle: { type: "string", default: "500" },
    files: { type: "string", default: "256" },
  },
});
const minutes = Number(values.minutes ?? (values.quick ? 1 : 10));
const durationMs = minutes * 60_000;
const KILL_MS = 20_000;
const SAMPLE_MS = 1000;
const CONNECTIONS = 32;
const MOST_LOST = 64;
/** How long the server has after the load until its memory is read. */
const SETTLE_MS = 30_000;
/** The most that it may have then, as a share of what it had after its first load. */
const MOST_GROWTH = 1.5;

interface Sample {
  /** Seconds from the start. */
  readonly s: number;
  readonly memory: TreeMemory;
}

interface Outcome {
  readonly status: number;
  readonly body: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

/** The server may end a connection that waits to be used again while a request is on its way: then clients ask once more. */
async function ask(port: number, id: number): Promise<Outcome> {
  for (;;) {
    const { outcome, isStale } = await askOnce(port, id).then(
      (answered) => ({ outcome: answered, isStale: false }),
      (error: Error & { readonly isReused?: boolean }) => {
        if (error.isReused !== true) throw error;
        return { outcome: undefined, isStale: true };
      },
    );
    if (outcome !== undefined) return outcome;
    if (isStale) asked.again += 1;
  }
}

const asked = { again: 0 };

/** A prediction of one row that no other request has. */
function askOnce(port: number, id: number): Promise<Outcome> {
  const body = `{"data":{"ndarray":[[${id},0.5]]}}`;
  return new Promise((resolve, reject) => {
    const call = request(
      {
        port,
        host: "127.0.0.1",
        path: "/api/v1.0/predictions",
        method: "POST",
        agent,
        headers: { "content-type": "application/json", "content-length": body.length },
      },
      (response) => {
        let text = "";
        response.setEncoding("latin1").on("data", (chunk: string) => (text += chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
        response.on("error", reject);
      },
    );
    call.on("error", (error) => reject(Object.assign(error, { isReused: call.reusedSocket })));
    call.end(body);
  });
}

const folder = mkdtempSync(join(tmpdir(), "slipway-soak-"));
const server = await startSlipway({
  ...{ model: "Identity", workers: Number(values.workers), folder },
  maxFiles: Number(values.files),
});
const root =
  treeOf(process.pid).find(
    (pid) => pid !== process.pid && treeOf(pid).length > Number(values.workers),
  ) ?? 0;
let sent = 0;
let right = 0;
let wrong = 0;
const failures = new Map<string, number>();

async function one(): Promise<void> {
  const id = (sent += 1);
  try {
    const { status, body } = await ask(server.port, id);
    if (status === 200 && body.includes(`[[${id}.0,0.5]]`)) right += 1;
    else if (status === 200) wrong += 1;
    else
      failures.set(
        `${status} ${/"info":"([^"]*)"/.exec(body)?.[1] ?? ""}`,
        (failures.get(`${status} ${/"info":"([^"]*)"/.exec(body)?.[1] ?? ""}`) ?? 0) + 1,
      );
  } catch (error) {
    const { code = String(error) } = error as { code?: string };
    failures.set(code, (failures.get(code) ?? 0) + 1);
  }
}

/** Closed loops until `endAt`; with a rate each waits for its turn. */
async function load(endAt: number, rate: number | undefined): Promise<number> {
  const startedAt = performance.now();
  const before = right;
  let turn = 0;
  const loop = async (): Promise<void> => {
    while (performance.now() < endAt) {
      if (rate !== undefined) {
        turn += 1;
        const waitMs = startedAt + (turn * 1000) / rate - performance.now();
        if (waitMs > 1) await new Promise((settle) => setTimeout(settle, waitMs));
      }
      await one();
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, loop));
  return ((right - before) * 1000) / (performance.now() - startedAt);
}

try {
  const most = await load(performance.now() + 5000, undefined);
  const rate = Math.floor(0.7 * most);
  process.stderr.write(
    `  this client gets ${most.toFixed(0)} requests/s at the most; going on at ${rate}\n`,
  );
  const samples: Sample[] = [];
  const startedAt = performance.now();
  let kills = 0;
  const sampler = setInterval(() => {
    try {
      samples.push({ s: (performance.now() - startedAt) / 1000, memory: server.memory() });
    } catch {
      // a worker ended while its memory was read
    }
  }, SAMPLE_MS);
  const killer = setInterval(() => {
    const workers = treeOf(root).slice(1);
    const victim = workers[kills % Math.max(1, workers.length)];
    kills += 1;
    if (victim !== undefined) process.kill(victim, "SIGKILL");
  }, KILL_MS);
  const firstMib = server.residentMib();
  const idle = holdIdle(server.port, Number(values.idle));
  const rps = await load(startedAt + durationMs, rate);
  clearInterval(sampler);
  clearInterval(killer);
  const [idleOpen, idleAgain] = [idle.open(), idle.reopened()];
  idle.stop();
  await new Promise((settle) => setTimeout(settle, SETTLE_MS));
  const isAlive = treeOf(root).length > Number(values.workers);
  const lastMib = server.residentMib(); // fails when the server ended
  const page = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
  const restarts = Number(/^slipway_worker_restarts_total\{.*\} (\S+)$/m.exec(page)?.[1]);
  const lost = [...failures.values()].reduce((sum, count) => sum + count, 0);
  const last = samples.at(-1)?.memory;
  const memory = {
    ...growth("own", samples, ({ ownMib }) => ownMib),
    ...growth("server's own", samples, ({ serverMib }) => serverMib),
    ...growth("PSS", samples, ({ pssMib }) => pssMib),
    "last own MiB": last?.ownMib ?? Number.NaN,
    "last PSS MiB": last?.pssMib ?? Number.NaN,
    "server's RSS at the start": firstMib,
    "server's RSS at the end": lastMib,
  };
  process.stdout.write(
    `${JSON.stringify({ sent, right, wrong, lost, kills, restarts, idleOpen, idleAgain, askedAgain: asked.again, firstMib, lastMib, failures: Object.fromEntries(failures) })}\n`,
  );
  publish("serve-soak", describeMachine({}), {
    [`${minutes} minutes at 70 %, a worker killed every 20 s, ${values.files} descriptors, ${values.idle} idle connections`]:
      [
        {
          name: "slipway",
          ratio: 1,
          figures: Object.fromEntries(
            Object.entries({
              ...{ rps, sent, right, wrong, lost, kills, restarts, ...memory },
              ...{ "idle at the end": idleOpen, "idle opened again": idleAgain },
            }).map(([key, value]) => [key, summarize([value])]),
          ),
        },
      ],
  });
  const isBounded = lastMib <= MOST_GROWTH * firstMib;
  if (wrong > 0 || lost > kills * MOST_LOST || restarts < kills || !isAlive || !isBounded)
    process.exitCode = 1;
} finally {
  agent.destroy();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** Growth of one part of the memory in MiB an hour over the last half, when heaps have found their size, with its standard error. */
function growth(
  name: string,
  samples: readonly Sample[],
  part: (memory: TreeMemory) => number,
): Readonly<Record<string, number>> {
  const { slope, error } = fitSlope(
    samples
      .slice(Math.floor(samples.length / 2))
      .map(({ s, memory }) => ({ x: s, y: part(memory) })),
    KILL_MS / 1000,
  );
  return { [`${name}: MiB per hour`]: 3600 * slope, [`${name}: error of that`]: 3600 * error };
}
