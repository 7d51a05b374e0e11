import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { resolve } from "node:path";
import { test } from "node:test";
import { spawnEntry, startEntry, type Served } from "./serve-support.ts";

const IDENTITY = "class Model:\n    def predict(self, X, names):\n        return X\n";
/** Tells when it has begun, and answers when a file appears. */
const GATED = `
import os, time
class Model:
    def predict(self, X, names):
        print("begun", flush=True)
        while not os.path.exists("go"):
            time.sleep(0.01)
        return X
`;

/** Status and headers over a connection that is kept. */
function get(
  url: string,
  agent: Agent,
): Promise<{
  readonly status: number;
  readonly connection: string | undefined;
  readonly body: string;
}> {
  return new Promise((settle, reject) => {
    const asked = request(url, { agent }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("end", () =>
        settle({ status: response.statusCode ?? 0, connection: response.headers.connection, body }),
      );
    });
    asked.on("error", reject);
    asked.end();
  });
}

/** Requests that wait or run, as the metrics page has it. */
async function underWay(served: Served): Promise<number> {
  const page = await (await fetch(`${served.url}/metrics`)).text();
  const value = (name: string): number =>
    Number(new RegExp(`^slipway_${name}_requests\\{.*\\} (\\S+)$`, "m").exec(page)?.[1]);
  return value("queue") + value("running");
}

async function check(
  served: Served,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly text: string }> {
  const port = new URL(served.url).port;
  const child = spawn(
    process.execPath,
    [resolve(import.meta.dirname, "../../src/serving/server/main.ts"), "--healthcheck"],
    { env: { PREDICTIVE_UNIT_HTTP_SERVICE_PORT: port, ...env } },
  );
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const [code] = (await once(child, "close")) as [number];
  return { code, text };
}

test("SIGTERM answers what is under way, ends the workers and exits with 0", async (t) => {
  await using served = await startEntry(t, { source: GATED });
  if (served === undefined) return;
  const answer = served.predict([[1, 2]]);
  await served.line(({ msg }) => msg === "begun");
  served.child.kill("SIGTERM");
  await served.line(({ msg }) => msg === "stopping");
  const { writeFile } = await import("node:fs/promises");
  await writeFile(`${served.folder}/go`, "");
  const response = await answer;
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("connection"), "close");
  assert.deepEqual(((await response.json()) as { data: { ndarray: unknown } }).data.ndarray, [
    [1, 2],
  ]);
  assert.deepEqual(await served.ended, { code: 0, signal: null });
  assert.equal(served.log.at(-1)?.msg, "stopped");
});

test("readiness turns false first, while predictions go on and connections are kept", async (t) => {
  await using served = await startEntry(t, {
    source: IDENTITY,
    env: { SLIPWAY_DRAIN_DELAY_MS: "60000" },
  });
  if (served === undefined) return;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const before = await get(`${served.url}/ready`, agent);
  assert.deepEqual([before.status, before.body, before.connection], [200, "ready\n", "keep-alive"]);
  served.child.kill("SIGTERM");
  await served.line(({ msg }) => msg === "stopping");
  const ready = await get(`${served.url}/ready`, agent);
  assert.deepEqual([ready.status, ready.body, ready.connection], [503, "stopping\n", "keep-alive"]);
  const live = await get(`${served.url}/live`, agent);
  assert.equal(live.status, 200);
  assert.equal((await served.predict([[3]])).status, 200);
  agent.destroy();
});

test("no request is dropped while clients with kept connections are busy", async (t) => {
  await using served = await startEntry(t, {
    source: IDENTITY,
    env: { SLIPWAY_DRAIN_DELAY_MS: "200" },
  });
  if (served === undefined) return;
  const agent = new Agent({ keepAlive: true });
  let answers = 0;
  const wrong: unknown[] = [];
  const enough = Promise.withResolvers<void>();
  const client = async (): Promise<void> => {
    for (;;) {
      try {
        const { status } = await get(`${served.url}/health/status`, agent);
        if (status !== 200) wrong.push(status);
        answers += 1;
        if (answers === 200) enough.resolve();
      } catch (error) {
        const { code } = error as { code?: string };
        if (code === "ECONNREFUSED") return; // it listens no more: the end that a load balancer sees
        wrong.push(error);
      }
    }
  };
  const clients = Array.from({ length: 8 }, client);
  await enough.promise;
  served.child.kill("SIGTERM");
  await Promise.all(clients);
  assert.deepEqual(wrong, []);
  assert.deepEqual(await served.ended, { code: 0, signal: null });
  agent.destroy();
});

test("a second SIGTERM ends it at once", async (t) => {
  await using served = await startEntry(t, { source: GATED });
  if (served === undefined) return;
  const answer = served.predict([[1]]).catch((error: unknown) => error);
  await served.line(({ msg }) => msg === "begun");
  served.child.kill("SIGTERM");
  await served.line(({ msg }) => msg === "stopping");
  served.child.kill("SIGTERM");
  assert.deepEqual(await served.ended, { code: 143, signal: null });
  assert.ok((await answer) instanceof Error);
});

test("what does not end within the grace is cut off, and the exit is still in order", async (t) => {
  await using served = await startEntry(t, {
    source: GATED,
    env: { SLIPWAY_DRAIN_GRACE_MS: "50" },
  });
  if (served === undefined) return;
  const answers = [served.predict([[1]]), served.predict([[2]]), served.predict([[3]])];
  while ((await underWay(served)) < 3);
  served.child.kill("SIGTERM");
  assert.deepEqual(await served.ended, { code: 0, signal: null });
  assert.deepEqual(
    (await Promise.all(answers)).map(({ status }) => status),
    [503, 503, 503],
  );
  assert.ok(served.log.some(({ msg }) => msg.startsWith("stopping took too long")));
});

test("a worker that grows beyond SLIPWAY_WORKER_MEMORY_MIB is ended with the reason, counted, and replaced", async (t) => {
  const source = `
import time
kept = []
class Model:
    def predict(self, X, names):
        while X[0, 0] == 1:
            kept.append(bytearray(b"x" * (8 << 20)))
            time.sleep(0.02)
        return X
`;
  await using served = await startEntry(t, { source, env: { SLIPWAY_WORKER_MEMORY_MIB: "200" } });
  if (served === undefined) return;
  const greedy = await served.predict([[1]]);
  assert.deepEqual(
    [greedy.status, (await greedy.text()).includes("its limit is 200 MiB")],
    [500, true],
  );
  assert.equal((await served.predict([[2]])).status, 200);
  assert.match(
    await (await fetch(`${served.url}/metrics`)).text(),
    /^slipway_worker_restarts_total\{.*\} 1\.0$/m,
  );
});

test("a start that fails prints the user's traceback and exits with the code of models", async (t) => {
  await using entry = await spawnEntry(t, {
    source: "class Model:\n    def __init__(self):\n        raise ValueError('no weights here')\n",
  });
  if (entry === undefined) return;
  assert.deepEqual(await entry.ended, { code: 9, signal: null });
  assert.match(
    entry.stderr(),
    /^Traceback \(most recent call last\):\n {2}File ".*Model\.py", line 3, in __init__\n/,
  );
  assert.match(entry.stderr(), /ValueError: no weights here\n$/);
  assert.doesNotMatch(entry.stderr(), /slipway_worker|importlib/);
  assert.ok(entry.log.some(({ level, code }) => level === "fatal" && code === "MODEL_LOAD_FAILED"));
});

test("SIGTERM while the model loads ends the start with 0", async (t) => {
  await using entry = await spawnEntry(t, {
    source: "import time\nprint('loading', flush=True)\ntime.sleep(3600)\nclass Model: pass\n",
  });
  if (entry === undefined) return;
  await entry.line(({ msg }) => msg === "loading");
  entry.child.kill("SIGTERM");
  assert.deepEqual(await entry.ended, { code: 0, signal: null });
});

test("--healthcheck says 0 for a server that is ready, and 1 for one that is stopping or not there", async (t) => {
  await using served = await startEntry(t, {
    source: IDENTITY,
    env: { SLIPWAY_DRAIN_DELAY_MS: "60000" },
  });
  if (served === undefined) return;
  assert.deepEqual(await check(served), { code: 0, text: "ready\n" });
  served.child.kill("SIGTERM");
  await served.line(({ msg }) => msg === "stopping");
  assert.deepEqual(await check(served), { code: 1, text: "not ready: it answers 503\n" });
  served.child.kill("SIGKILL");
  await served.ended;
  assert.deepEqual(await check(served), { code: 1, text: "not ready: ECONNREFUSED\n" });
});

test("with no worker that starts the server lives, and is not ready", async (t) => {
  const source =
    "import os\nclass Model:\n    def __init__(self):\n        assert not os.path.exists('broken')\n    def predict(self, X, names):\n        open('broken', 'w').close()\n        os._exit(3)\n";
  await using served = await startEntry(t, { source });
  if (served === undefined) return;
  const response = await served.predict([[1]]);
  assert.equal(response.status, 500);
  assert.match(await response.text(), /it ended with exit code 3/);
  await served.line(({ msg }) => msg === "a worker ended and is started again");
  const ready = await fetch(`${served.url}/ready`);
  assert.deepEqual([ready.status, await ready.text()], [503, "no worker runs\n"]);
  assert.equal((await fetch(`${served.url}/live`)).status, 200);
});

test("idle connections past the limit of descriptors end nobody's request, and a killed worker comes back", async (t) => {
  await using served = await startEntry(t, {
    source: `
import time
class Model:
    def predict(self, X, names):
        if X[0][0] == 9:
            time.sleep(600)
        return X
`,
    env: { SLIPWAY_TIMEOUT_MS: "300" },
    maxFiles: 256,
  });
  if (served === undefined) return;
  const port = Number(new URL(served.url).port);
  const idle = Array.from({ length: 300 }, () =>
    connect(port, "127.0.0.1").on("error", () => undefined),
  );
  t.after(() => {
    for (const socket of idle) socket.destroy();
  });
  await Promise.all(idle.map((socket) => new Promise((settle) => socket.once("connect", settle))));
  assert.equal((await fetch(`${served.url}/live`)).status, 200);
  assert.equal((await served.predict([[9]])).status, 504);
  let status = 0;
  while (status !== 200) status = (await served.predict([[1]])).status;
  assert.equal(served.child.exitCode, null);
});
