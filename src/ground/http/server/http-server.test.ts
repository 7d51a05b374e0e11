import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import type { Exchange } from "./exchange.ts";
import { startHttpServer, type HttpServer, type HttpServerOptions } from "./http-server.ts";

const echo = (exchange: Exchange): void =>
  exchange.reply({
    status: 200,
    contentType: "text/plain",
    body: exchange.body.toString("latin1"),
  });

async function start(
  t: TestContext,
  options: Partial<HttpServerOptions> = {},
): Promise<HttpServer> {
  const server = await startHttpServer({
    host: "127.0.0.1",
    port: 0,
    maxBodyBytes: 1000,
    routes: new Map([
      ["/echo", { name: "echo", methods: ["GET", "POST"], handle: echo }],
      ["/get", { methods: ["GET"], handle: echo }],
    ]),
    refuse: (exchange, why) =>
      exchange.reply({
        status: why.kind === "error" ? 413 : why.kind === "unknown-path" ? 404 : 405,
        contentType: "text/plain",
        body: why.kind,
      }),
    ...options,
  });
  t.after(() => server.cut());
  return server;
}

/** A connection on which bytes are sent, and answers read one by one. */
async function raw(server: HttpServer): Promise<{
  readonly socket: Socket;
  readonly send: (text: string) => void;
  readonly answer: () => Promise<string>;
  readonly closed: Promise<unknown>;
}> {
  const socket = connect(server.port, "127.0.0.1");
  await once(socket, "connect");
  let buffer = "";
  const waiting: ((text: string) => void)[] = [];
  const look = (): void => {
    for (;;) {
      const head = buffer.indexOf("\r\n\r\n");
      const size = Number(/content-length: (\d+)/i.exec(buffer)?.[1] ?? 0);
      if (head < 0 || buffer.length < head + 4 + size || waiting.length === 0) return;
      const one = buffer.slice(0, head + 4 + size);
      buffer = buffer.slice(one.length);
      waiting.shift()?.(one);
    }
  };
  socket.setEncoding("latin1").on("data", (text: string) => {
    buffer += text;
    look();
  });
  socket.on("error", () => undefined);
  return {
    socket,
    send: (text) => void socket.write(text, "latin1"),
    answer: () => {
      const { promise, resolve } = Promise.withResolvers<string>();
      waiting.push(resolve);
      look();
      return promise;
    },
    closed: new Promise((resolve) => socket.once("close", resolve)), // also when it was reset
  };
}

const post = (body: string, head = ""): string =>
  `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n${head}\r\n${body}`;

test("requests behind each other on one connection are answered in order", async (t) => {
  const { send, answer } = await raw(await start(t));
  send(post("one") + post("two") + post("three"));
  for (const text of ["one", "two", "three"])
    assert.match(await answer(), new RegExp(`^HTTP/1.1 200 OK\r\n[^]*\r\n\r\n${text}$`));
});

test("a body in pieces, with a length or in chunks, is put together", async (t) => {
  const { send, answer } = await raw(await start(t));
  send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc");
  send("def");
  assert.match(await answer(), /abcdef$/);
  send(
    "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
  );
  assert.match(await answer(), /abcde$/);
});

test("a body that is too long is refused, by its length at once and in chunks when it is", async (t) => {
  const server = await start(t);
  const declared = await raw(server);
  declared.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
  assert.match(await declared.answer(), /^HTTP\/1\.1 413 /);
  const chunked = await raw(server);
  chunked.send(
    `POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n${"x".repeat(1001)}\r\n`,
  );
  assert.match(await chunked.answer(), /^HTTP\/1\.1 413 /);
});

test("unknown paths, wrong methods, HEAD and OPTIONS", async (t) => {
  const server = await start(t);
  const ask = (method: string, path: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  assert.equal((await ask("GET", "/none")).status, 404);
  assert.equal((await ask("POST", "/get")).status, 405);
  assert.equal((await ask("HEAD", "/get")).status, 200);
  assert.equal((await ask("OPTIONS", "/get")).headers.get("allow"), "GET, HEAD, OPTIONS");
});

test("hooks see named routes only, the answer once, and nothing of a client that left inside its body", async (t) => {
  const seen: string[] = [];
  const server = await start(t, {
    onRequest: ({ path }) => seen.push(`in ${path}`),
    onAnswer: ({ path, endpoint }, { status }) => seen.push(`out ${path} ${status} ${endpoint}`),
  });
  const left = await raw(server);
  left.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
  const other = await raw(server);
  other.send(post("x"));
  await other.answer();
  left.socket.destroy();
  await left.closed;
  other.send("GET /get HTTP/1.1\r\nHost: x\r\n\r\n");
  await other.answer();
  assert.deepEqual(seen, ["in /echo", "in /echo", "out /echo 200 echo", "out /get 200 undefined"]);
});

test("an id goes back in a header when it may stand there", async (t) => {
  for (const [id, back] of [
    ["abc-1", "abc-1"],
    ["a\r\nSet-Cookie: x", null],
    ["é", null],
    ["x".repeat(129), null],
  ] as const) {
    const server = await start(t, {
      idHeader: "X-Own-Id",
      onRequest: (exchange) => (exchange.requestId = id),
    });
    const answer = await fetch(`http://127.0.0.1:${server.port}/echo`);
    assert.deepEqual(
      [answer.headers.get("x-own-id"), answer.headers.get("set-cookie")],
      [back, null],
    );
  }
});

test("a kept connection outlives the end of listening, is answered once more and given back", async (t) => {
  const server = await start(t);
  const kept = await raw(server);
  kept.send(post("before"));
  assert.match(await kept.answer(), /Connection: keep-alive/);
  const stopped = server.stop(60_000);
  await assert.rejects(fetch(`http://127.0.0.1:${server.port}/echo`));
  kept.send(post("after"));
  assert.match(await kept.answer(), /Connection: close[^]*after$/);
  await kept.closed;
  await stopped;
});

test("without a time to linger an idle connection ends with the listening", async (t) => {
  const server = await start(t);
  const kept = await raw(server);
  kept.send(post("before"));
  await kept.answer();
  await Promise.all([server.stop(), kept.closed]);
});

const NEVER_DONE: readonly (readonly [what: string, bytes: string, answer: RegExp | undefined])[] =
  [
    ["without a request so far", "", undefined],
    ["with half a head", "POST /ec", undefined],
    [
      "whose body was refused and never sent",
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\nabc",
      /^HTTP\/1\.1 413 /,
    ],
    [
      "that sent half a body to nobody",
      "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
      /^HTTP\/1\.1 404 /,
    ],
  ];

for (const [what, bytes, answer] of NEVER_DONE) {
  test(`a connection ${what} does not hold up the end`, async (t) => {
    const server = await start(t);
    const kept = await raw(server);
    const warm = await raw(server); // accepted after the other one, which the server has therefore seen
    kept.send(bytes);
    if (answer !== undefined) assert.match(await kept.answer(), answer);
    warm.send(post("x"));
    await warm.answer();
    await Promise.all([server.stop(), kept.closed]);
  });
}

test("a request that is under way is answered however long it takes, with nothing moving on its connection", async (t) => {
  const asked = Promise.withResolvers<Exchange>();
  const server = await start(t, {
    routes: new Map([
      ["/slow", { methods: ["GET"], handle: (exchange) => asked.resolve(exchange) }],
    ]),
  });
  const slow = await raw(server);
  slow.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  const idle = await raw(server);
  const exchange = await asked.promise;
  idle.send("GET /sl");
  const stopped = server.stop();
  await idle.closed; // two looks at all connections
  exchange.reply({ status: 200, contentType: "text/plain", body: "late" });
  assert.match(await slow.answer(), /Connection: close[^]*late$/);
  await stopped;
});

test("whoever waits is told when the client goes, and nobody else", async (t) => {
  const asked: Exchange[] = [];
  const server = await start(t, {
    routes: new Map([
      ["/wait", { methods: ["GET"], handle: (exchange) => void asked.push(exchange) }],
      ["/echo", { methods: ["GET", "POST"], handle: echo }],
    ]),
  });
  const goes = await raw(server);
  const stays = await raw(server);
  for (const each of [goes, stays]) each.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  while (asked.length < 2) await fetch(`http://127.0.0.1:${server.port}/echo`);
  const signals = asked.map((exchange) => exchange.whileWaiting());
  const aborted = signals.map(async (signal) => once(signal, "abort"));
  goes.socket.destroy();
  await Promise.race(aborted);
  assert.deepEqual(signals.map((signal) => signal.aborted).toSorted(), [false, true]);
  const left = asked[signals.findIndex((signal) => signal.aborted)];
  assert.ok(left?.whileWaiting().aborted);
  const [{ reason } = new AbortController().signal] = signals.filter((signal) => signal.aborted);
  assert.equal((reason as { code?: string }).code, "INTERRUPTED");
});

test("a port that is taken is named", async (t) => {
  const server = await start(t);
  await assert.rejects(start(t, { port: server.port }), {
    code: "PORT_TAKEN",
    message: new RegExp(`127\\.0\\.0\\.1:${server.port}`),
  });
});

test("a request by a name that is not allowed is refused, whatever its path", async (t) => {
  const server = await start(t, { allowsHost: (host) => host.startsWith("localhost") });
  const client = await raw(server);
  client.send("GET /get HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  assert.match(await client.answer(), /^HTTP\/1\.1 413 /); // what `refuse` makes of errors here
  client.send("GET /get HTTP/1.1\r\nHost: localhost:1\r\n\r\n");
  assert.match(await client.answer(), /^HTTP\/1\.1 200 /);
});
