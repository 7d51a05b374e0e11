import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import { BodyBudget } from "./body-budget.ts";
import type { Exchange } from "./exchange.ts";
import { startHttpServer, type HttpServer, type HttpServerOptions } from "./http-server.ts";

const TEXT = "text/plain";
const held: Exchange[] = [];
let onHeld = (): void => undefined;

function hold(exchange: Exchange): void {
  held.push(exchange);
  onHeld();
}

/** Waits until so many requests are held. */
function heldAre(count: number): Promise<void> {
  return new Promise((resolve) => {
    onHeld = () => {
      if (held.length === count) resolve();
    };
    onHeld();
  });
}

async function start(
  t: TestContext,
  options: Partial<HttpServerOptions> = {},
): Promise<HttpServer> {
  const server = await startHttpServer({
    host: "127.0.0.1",
    port: 0,
    maxBodyBytes: 1000,
    routes: new Map([
      [
        "/size",
        {
          methods: ["POST"],
          handle: (exchange) =>
            exchange.reply({
              status: 200,
              contentType: TEXT,
              body: String(exchange.body.byteLength),
            }),
        },
      ],
      ["/hold", { methods: ["POST"], handle: hold }],
    ]),
    refuse: (exchange, why) =>
      exchange.reply({
        status: why.kind === "error" ? 400 : 404,
        contentType: TEXT,
        body: why.kind === "error" ? why.error.code : why.kind,
      }),
    ...options,
  });
  t.after(() => server.cut());
  return server;
}

interface Client {
  readonly socket: Socket;
  /** Everything that came so far. */
  readonly seen: () => string;
  /** Waits until it matches. */
  readonly sees: (pattern: RegExp) => Promise<void>;
  readonly closed: Promise<unknown>;
}

async function client(server: HttpServer): Promise<Client> {
  const socket = connect(server.port, "127.0.0.1");
  await once(socket, "connect");
  let text = "";
  let look = (): void => undefined;
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
    look();
  });
  socket.on("error", () => undefined);
  return {
    socket,
    seen: () => text,
    sees: (pattern) =>
      new Promise((resolve) => {
        look = () => {
          if (pattern.test(text)) resolve();
        };
        look();
      }),
    closed: new Promise((resolve) => socket.once("close", resolve)),
  };
}

const head = (path: string, ...lines: readonly string[]): string =>
  [`POST ${path} HTTP/1.1`, "Host: x", ...lines, "", ""].join("\r\n");

test("who waits for a word is refused before it, and invited only when the body is wanted", async (t) => {
  const server = await start(t);
  const large = await client(server);
  large.socket.write(head("/size", "Content-Length: 10000000000", "Expect: 100-continue"));
  await large.sees(/LIMIT_EXCEEDED$/);
  assert.doesNotMatch(large.seen(), /100 Continue/);
  assert.match(large.seen(), /Connection: close/);
  await large.closed;
  const nowhere = await client(server);
  nowhere.socket.write(head("/nowhere", "Content-Length: 10", "Expect: 100-continue"));
  await nowhere.sees(/unknown-path$/);
  assert.doesNotMatch(nowhere.seen(), /100 Continue/);
  const fine = await client(server);
  fine.socket.write(head("/size", "Content-Length: 3", "Expect: 100-continue"));
  await fine.sees(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
  fine.socket.write("abc");
  await fine.sees(/200 OK[^]*\r\n\r\n3$/);
});

test("the rest of a refused body is not read, and the client can read the answer", async (t) => {
  const server = await start(t);
  const sender = await client(server);
  const chunk = Buffer.alloc(1 << 20);
  let sent = 0;
  const more = (): void => {
    while (!sender.socket.destroyed && sent < 500 << 20) {
      sent += chunk.byteLength;
      if (!sender.socket.write(chunk)) return void sender.socket.once("drain", more);
    }
  };
  sender.socket.write(head("/size", "Content-Length: 600000000"));
  more();
  await sender.sees(/LIMIT_EXCEEDED$/);
  await sender.closed;
  assert.ok(sent < 64 << 20, `${sent} bytes were taken from the client`);
});

test("bodies share one budget: the one too many is refused, and room comes back with answers and with clients that leave", async (t) => {
  const bodies = new BodyBudget(1500);
  const server = await start(t, { bodies });
  const other = await start(t, { bodies });
  const post = (where: HttpServer, body: string): Promise<string> =>
    fetch(`http://127.0.0.1:${where.port}/size`, { method: "POST", body }).then((answer) =>
      answer.text(),
    );
  const slow = await client(server);
  slow.socket.write(head("/hold", "Content-Length: 1000") + "abc");
  while (bodies.used < 1000) assert.equal(await post(server, "x"), "1");
  assert.equal(await post(other, "x".repeat(501)), "SERVER_FULL");
  assert.equal(await post(other, "x".repeat(500)), "500");
  slow.socket.destroy();
  while (bodies.used > 0) await post(server, "x");
  const held1 = await client(server);
  held1.socket.write(head("/hold", "Content-Length: 1000") + "x".repeat(1000));
  await heldAre(1);
  held1.socket.destroy();
  await held1.closed;
  const before = await post(other, "x".repeat(501));
  assert.equal(before, "SERVER_FULL", "memory that a handler still uses is not given away");
  held.shift()?.reply({ status: 200, contentType: TEXT, body: "" });
  assert.equal(await post(other, "x".repeat(501)), "501");
  assert.equal(bodies.used, 0);
});

test("bodies without a length count as they come", async (t) => {
  const bodies = new BodyBudget(100);
  const server = await start(t, { bodies });
  const chunked = await client(server);
  const piece = `3c\r\n${"x".repeat(60)}\r\n`;
  chunked.socket.write(head("/size", "Transfer-Encoding: chunked") + piece);
  while (bodies.used < 60) await fetch(`http://127.0.0.1:${server.port}/`);
  chunked.socket.write(piece);
  await chunked.sees(/SERVER_FULL$/);
  await chunked.closed;
  assert.equal(bodies.used, 0);
});

for (const [what, encoding, body, answer] of [
  ["gzip", "gzip", gzipSync("x".repeat(900)), "900"],
  ["gzip by its old name", "X-GZip", gzipSync("x".repeat(900)), "900"],
  ["deflate", "deflate", deflateSync("x".repeat(900)), "900"],
  ["nothing", "identity", Buffer.from("xyz"), "3"],
  ["a bomb", "gzip", gzipSync(Buffer.alloc(50_000_000)).subarray(0, 999), "LIMIT_EXCEEDED"],
  ["more than a body may have", "gzip", gzipSync("x".repeat(1001)), "LIMIT_EXCEEDED"],
  ["no gzip at all", "gzip", Buffer.from("hello"), "REQUEST_INVALID"],
  ["half of it", "gzip", gzipSync("hello").subarray(0, 12), "REQUEST_INVALID"],
  ["an encoding that nobody knows", "snappy", Buffer.from("x"), "ENCODING_UNSUPPORTED"],
] as const)
  test(`a body that is ${what}: ${answer}`, async (t) => {
    const bodies = new BodyBudget(10_000);
    const server = await start(t, { bodies });
    const answered = await fetch(`http://127.0.0.1:${server.port}/size`, {
      method: "POST",
      headers: { "content-encoding": encoding },
      body,
    });
    assert.equal(await answered.text(), answer);
    assert.equal(bodies.used, 0);
  });

test("parameters and query are read, also of a whole URI", async (t) => {
  const server = await start(t, {
    routes: new Map([
      [
        "/models/{name}:predict",
        {
          methods: ["GET"],
          handle: (exchange) =>
            exchange.reply({
              status: 200,
              contentType: TEXT,
              body: `${exchange.params["name"]} ${exchange.query}`,
            }),
        },
      ],
    ]),
  });
  const proxied = await client(server);
  proxied.socket.write(
    "GET http://model.test:80/models/a%20b:predict?c=d HTTP/1.1\r\nHost: x\r\n\r\n",
  );
  await proxied.sees(/200 OK[^]*\r\n\r\na b c=d$/);
  proxied.socket.write("GET http://model.test HTTP/1.1\r\nHost: x\r\n\r\n");
  await proxied.sees(/404 Not Found[^]*unknown-path$/);
});

test("one connection too many ends the one that asked nothing for longest", async (t) => {
  const server = await start(t, { maxConnections: 2 });
  const ask = (one: Client): Promise<void> => {
    one.socket.write(head("/size", "Content-Length: 1") + "x");
    return one.sees(/\r\n\r\n1$/);
  };
  const busy = await client(server);
  await ask(busy);
  const silent = await client(server);
  await ask(silent);
  busy.socket.write(head("/size", "Content-Length: 2") + "xx");
  await busy.sees(/\r\n\r\n2$/);
  await ask(await client(server));
  await silent.closed;
  busy.socket.write(head("/size", "Content-Length: 3") + "xxx");
  await busy.sees(/\r\n\r\n3$/);
});

test("one connection too many ends the oldest idle one, and is itself ended where all are busy", async (t) => {
  const server = await start(t, { maxConnections: 2 });
  const ask = (one: Client): Promise<void> => {
    one.socket.write(head("/size", "Content-Length: 1") + "x");
    return one.sees(/\r\n\r\n1$/);
  };
  const [first, second] = [await client(server), await client(server)];
  await ask(first);
  await ask(second);
  const third = await client(server);
  await ask(third);
  await first.closed;
  for (const one of [second, third]) one.socket.write(head("/hold", "Content-Length: 1") + "x");
  await heldAre(2);
  const fourth = await client(server);
  await fourth.closed;
  for (const exchange of held.splice(0))
    exchange.reply({ status: 200, contentType: TEXT, body: "kept" });
  await second.sees(/kept$/);
  await third.sees(/kept$/);
});
