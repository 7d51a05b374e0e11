import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect as connectHttp2, constants, type ClientHttp2Stream } from "node:http2";
import { connect, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { startEntry, type Served } from "./serve-support.ts";

/** Says what it was given, and answers when a file appears. */
const GATED = `
import os, time
class Model:
    def predict(self, X, names):
        print("begun", X, flush=True)
        while not os.path.exists("go"):
            time.sleep(0.01)
        return X
`;
const ENOUGH_WAITING = 3;

/** Sends requests one by one until three wait in the queue; those that are inside the worker come first. */
async function fill<T>(
  served: Served,
  send: (text: string) => Promise<T>,
): Promise<{ readonly inside: readonly T[]; readonly waiting: readonly T[] }> {
  const inside: T[] = [];
  const waiting: T[] = [];
  while (waiting.length < ENOUGH_WAITING) {
    const count = inside.length + waiting.length;
    const sent = await send(`request ${count}`);
    let page = await metrics(served);
    while (page.queued + page.running <= count) page = await metrics(served);
    (page.queued > 0 ? waiting : inside).push(sent);
  }
  return { inside, waiting };
}

async function metrics(
  served: Served,
): Promise<{ readonly queued: number; readonly running: number; readonly text: string }> {
  const text = await (await fetch(`${served.metricsUrl}/metrics`)).text();
  const value = (name: string): number =>
    Number(new RegExp(`^slipway_${name}_requests\\{.*\\} (\\S+)$`, "m").exec(text)?.[1]);
  return { queued: value("queue"), running: value("running"), text };
}

/** How many were answered with a code, as the metrics page has it. */
async function answered(served: Served, code: string): Promise<number> {
  const { text } = await metrics(served);
  return Number(
    new RegExp(
      `^seldon_api_executor_server_requests_seconds_count\\{.*code="${code}".*\\} (\\S+)$`,
      "m",
    ).exec(text)?.[1] ?? 0,
  );
}

/** Opens the gate, and checks that user code was given those and nobody else. */
async function letGo(served: Served, count: number): Promise<void> {
  await writeFile(`${served.folder}/go`, "");
  const last = await served.predict([[0]]);
  assert.equal(last.status, 200);
  const begun = served.log
    .filter(({ msg }) => msg.startsWith("begun request"))
    .map(({ msg }) => msg);
  assert.deepEqual(
    begun,
    Array.from({ length: count }, (_, index) => `begun request ${index}`),
  );
}

async function askRaw(served: Served, text: string): Promise<Socket> {
  const socket = connect(Number(new URL(served.url).port), "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  const body = JSON.stringify({ strData: text });
  socket.write(
    `POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  return socket;
}

for (const [how, leave] of [
  ["breaks the connection", (socket: Socket): unknown => socket.resetAndDestroy()],
  ["closes it", (socket: Socket): unknown => socket.destroy()],
] as const) {
  test(`a client that ${how} leaves the queue, and what is inside a worker goes on`, async (t) => {
    await using served = await startEntry(t, { source: GATED });
    if (served === undefined) return;
    const { inside, waiting } = await fill(served, (text) => askRaw(served, text));
    waiting.forEach(leave);
    while ((await metrics(served)).queued > 0);
    assert.equal(await answered(served, "499"), waiting.length);
    assert.equal((await metrics(served)).running, inside.length);
    const answers = inside.map(async (socket) =>
      String(await once(socket, "data").then(([data]) => data as Buffer)),
    );
    await letGo(served, inside.length);
    for (const answer of await Promise.all(answers)) assert.match(answer, /^HTTP\/1\.1 200 /);
    inside.forEach((socket) => socket.destroy());
  });
}

/** The entry with gRPC, and a way to ask it. */
async function startWithGrpc(t: TestContext): Promise<
  | {
      readonly served: Served;
      readonly ask: (
        text: string,
        headers?: Readonly<Record<string, string>>,
      ) => Promise<ClientHttp2Stream>;
    }
  | undefined
> {
  const served = await startEntry(t, {
    source: GATED,
    args: ["--grpc-workers", "1", "--grpc-port", "0"],
  });
  if (served === undefined) return undefined;
  const { ports } = (await served.line(({ msg }) => msg === "ready")) as unknown as {
    readonly ports: { readonly grpc: number };
  };
  const session = connectHttp2(`http://127.0.0.1:${ports.grpc}`);
  session.on("error", () => undefined);
  t.after(() => session.destroy());
  const ask = (text: string, headers = {}): Promise<ClientHttp2Stream> => {
    const stream = session.request({
      ":method": "POST",
      ":path": "/seldon.protos.Model/Predict",
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    stream.on("error", () => undefined).resume();
    stream.end(Buffer.from([0, 0, 0, 0, text.length + 2, 0x2a, text.length, ...Buffer.from(text)])); // a SeldonMessage with strData
    return Promise.resolve(stream);
  };
  return { served, ask };
}

test("a gRPC call that is cancelled leaves the queue", async (t) => {
  const started = await startWithGrpc(t);
  if (started === undefined) return;
  await using served = started.served;
  const { inside, waiting } = await fill(served, started.ask);
  waiting.forEach((stream) => stream.close(constants.NGHTTP2_CANCEL));
  while ((await metrics(served)).queued > 0);
  assert.equal(await answered(served, "CANCELLED"), waiting.length);
  const ends = inside.map((stream) => once(stream, "trailers"));
  await letGo(served, inside.length);
  for (const [trailers] of (await Promise.all(ends)) as [Record<string, string>][])
    assert.equal(trailers["grpc-status"], "0");
});

test("a gRPC call whose deadline passes leaves the queue", async (t) => {
  const started = await startWithGrpc(t);
  if (started === undefined) return;
  await using served = started.served;
  const { inside } = await fill(served, started.ask);
  const late = await started.ask("late", { "grpc-timeout": "20m" });
  const [headers] = (await once(late, "response")) as [Record<string, string>];
  assert.equal(headers["grpc-status"], "4");
  assert.equal((await metrics(served)).queued, ENOUGH_WAITING);
  assert.equal(await answered(served, "DEADLINE_EXCEEDED"), 1);
  await letGo(served, inside.length + ENOUGH_WAITING);
  assert.ok(!served.log.some(({ msg }) => msg === "begun late"));
});
