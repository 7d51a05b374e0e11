import { BodyBudget } from "../../../ground/http/index.ts";
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import { connect as connectTcp } from "node:net";
import { afterEach, test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import { startGrpcServer, type GrpcCall, type GrpcMethod, type GrpcServer } from "./index.ts";

const MAX = 4096;
const open: { end(): void | Promise<void> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.end();
});

async function start(
  methods: Readonly<Record<string, GrpcMethod>>,
  maxMessageBytes = MAX,
): Promise<GrpcServer> {
  const server = await startGrpcServer({
    host: "127.0.0.1",
    port: 0,
    maxMessageBytes,
    methods: new Map(Object.entries(methods)),
  });
  open.push({ end: () => server.cut() });
  return server;
}

function dial(server: GrpcServer): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${server.port}`);
  session.on("error", () => undefined);
  open.push({ end: () => session.destroy() });
  return session;
}

function frame(message: Uint8Array | string, flag = 0): Buffer {
  const body = Buffer.from(message);
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(body.byteLength, 1);
  return Buffer.concat([prefix, body]);
}

interface Answered {
  readonly http: number;
  readonly status: string | undefined;
  readonly message: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface EchoCall {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Written one after the other; the last one ends the request. */
  readonly chunks?: readonly Uint8Array[];
}

async function ask(
  session: ClientHttp2Session,
  { path = "/a.B/Echo", headers = {}, chunks = [frame("hello")] }: EchoCall = {},
): Promise<Answered> {
  const stream = session.request(
    {
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    },
    { endStream: false },
  );
  const seen: IncomingHttpHeaders = {};
  const body: Buffer[] = [];
  stream.on("response", (fields) => void Object.assign(seen, fields));
  stream.on("trailers", (fields) => void Object.assign(seen, fields));
  stream.on("data", (chunk: Buffer) => body.push(chunk));
  stream.on("error", () => undefined);
  const closed = once(stream, "close");
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await closed;
  return {
    http: Number(seen[":status"]),
    status: seen["grpc-status"] as string | undefined,
    message: String(seen["grpc-message"] ?? ""),
    headers: seen,
    body: Buffer.concat(body),
  };
}

const echo: GrpcMethod = { onMessage: (call, message) => call.reply(message) };

test("answers a message with its status in the trailers", async () => {
  const session = dial(await start({ "/a.B/Echo": echo }));
  const answer = await ask(session);
  assert.deepEqual([answer.http, answer.status, answer.body], [200, "0", frame("hello")]);
  assert.equal(answer.headers["content-type"], "application/grpc");
});

test("puts a message together however it is cut, and takes one of no bytes", async () => {
  const session = dial(await start({ "/a.B/Echo": echo }));
  const bytes = frame("a longer message");
  const answer = await ask(session, { chunks: [...bytes].map((byte) => Uint8Array.of(byte)) });
  assert.deepEqual(answer.body, bytes);
  assert.deepEqual((await ask(session, { chunks: [frame("")] })).body, frame(""));
});

test("answers large messages whole", async () => {
  const session = dial(await start({ "/a.B/Echo": echo }, 30_000_000));
  const bytes = frame(Buffer.alloc(24_000_000, 7));
  assert.ok((await ask(session, { chunks: [bytes] })).body.equals(bytes));
});

const refusals: readonly (readonly [
  what: string,
  asked: EchoCall,
  status: string,
  message: RegExp,
])[] = [
  ["an unknown method", { path: "/a.B/Other" }, "12", /Method not found/],
  [
    "a message above the limit",
    { chunks: [frame(Buffer.alloc(MAX + 1))] },
    "8",
    /^Received message larger than max \(4097 vs. 4096\)$/,
  ],
  [
    "a message that only says that it is large",
    { chunks: [Buffer.from([0, 0xff, 0xff, 0xff, 0xff])] },
    "8",
    /larger than max/,
  ],
  [
    "a message that unpacks to more than the limit",
    { headers: { "grpc-encoding": "gzip" }, chunks: [frame(gzipSync(Buffer.alloc(10 * MAX)), 1)] },
    "8",
    /after decompression/,
  ],
  ["an unknown compression", { headers: { "grpc-encoding": "snappy" } }, "12", /snappy/],
  [
    "a packed message without its method",
    { chunks: [frame("x", 1)] },
    "13",
    /without grpc-encoding/,
  ],
  [
    "a packed message that is none",
    { headers: { "grpc-encoding": "gzip" }, chunks: [frame("x", 1)] },
    "13",
    /cannot be unpacked/,
  ],
  ["a bad compression flag", { chunks: [frame("x", 7)] }, "13", /compression flag 7/],
  [
    "two messages",
    { chunks: [Buffer.concat([frame("a"), frame("b")])] },
    "13",
    /Too many request messages/,
  ],
  ["no message", { chunks: [] }, "13", /no message/],
  ["half a message", { chunks: [frame("hello").subarray(0, 7)] }, "13", /ends inside a message/],
  ["a timeout that is none", { headers: { "grpc-timeout": "soon" } }, "13", /grpc-timeout/],
  ["a deadline that has passed", { headers: { "grpc-timeout": "0m" } }, "4", /Deadline Exceeded/],
];

for (const [what, asked, status, message] of refusals) {
  test(`refuses ${what}, and goes on`, async () => {
    const late: GrpcMethod = {
      onMessage: (call, bytes) => void setImmediate(() => call.reply(bytes)),
    };
    const session = dial(await start({ "/a.B/Echo": late }));
    const answer = await ask(session, asked);
    assert.deepEqual([answer.http, answer.status], [200, status]);
    assert.match(decodeURIComponent(answer.message), message);
    assert.equal((await ask(session)).status, "0");
  });
}

test("takes gzip and deflate", async () => {
  const session = dial(await start({ "/a.B/Echo": echo }));
  assert.deepEqual(
    (
      await ask(session, {
        headers: { "grpc-encoding": "gzip" },
        chunks: [frame(gzipSync("packed"), 1)],
      })
    ).body,
    frame("packed"),
  );
  assert.deepEqual(
    (
      await ask(session, {
        headers: { "grpc-encoding": "deflate" },
        chunks: [frame(deflateSync("packed"), 1)],
      })
    ).body,
    frame("packed"),
  );
  assert.deepEqual(
    (await ask(session, { headers: { "grpc-encoding": "gzip" }, chunks: [frame("plain")] })).body,
    frame("plain"),
  );
});

test("refuses what is not gRPC with an HTTP status", async () => {
  const session = dial(await start({ "/a.B/Echo": echo }));
  assert.equal((await ask(session, { headers: { "content-type": "application/json" } })).http, 415);
  assert.equal((await ask(session, { headers: { ":method": "PUT" } })).http, 405);
  assert.equal(
    (await ask(session, { headers: { "content-type": "application/grpc+proto" } })).status,
    "0",
  );
});

test("ends a call at its deadline and tells the handler", async () => {
  const aborted = Promise.withResolvers<unknown>();
  const session = dial(
    await start({
      "/a.B/Echo": {
        onMessage: ({ signal }) =>
          signal.addEventListener("abort", () => aborted.resolve(signal.reason)),
      },
    }),
  );
  assert.equal((await ask(session, { headers: { "grpc-timeout": "5m" } })).status, "4");
  assert.match(String(await aborted.promise), /deadline has passed/);
});

test("tells the handler when the client gives up, and a late answer harms nobody", async () => {
  const handled = Promise.withResolvers<GrpcCall>();
  const aborted = Promise.withResolvers<unknown>();
  const hang: GrpcMethod = {
    onMessage: (call) => {
      call.signal.addEventListener("abort", () => aborted.resolve(call.signal.reason));
      handled.resolve(call);
    },
  };
  const session = dial(await start({ "/a.B/Hang": hang, "/a.B/Echo": echo }));
  const stream = session.request(
    { ":method": "POST", ":path": "/a.B/Hang", "content-type": "application/grpc" },
    { endStream: false },
  );
  stream.on("error", () => undefined);
  stream.write(frame("x"));
  const call = await handled.promise;
  stream.close(constants.NGHTTP2_CANCEL);
  assert.match(String(await aborted.promise), /given up/);
  assert.equal(call.status, "CANCELLED");
  call.reply(frame("too late"));
  assert.equal((await ask(session)).status, "0");
});

test("percent-encodes messages, and sends further trailers", async () => {
  const session = dial(
    await start({
      "/a.B/Echo": {
        onMessage: (call) =>
          call.fail({
            status: "UNKNOWN",
            message: "100 % café\n",
            trailers: { "seldon-reason": "R" },
          }),
      },
    }),
  );
  const answer = await ask(session);
  assert.equal(answer.message, "100 %25 caf%C3%A9%0A");
  assert.equal(answer.headers["seldon-reason"], "R");
});

test("stops when what is under way has been answered", async () => {
  const handled = Promise.withResolvers<GrpcCall>();
  const server = await start({ "/a.B/Echo": { onMessage: (call) => handled.resolve(call) } });
  const session = dial(server);
  const answer = ask(session);
  const call = await handled.promise;
  const goaway = once(session, "goaway");
  const stopped = server.stop();
  await goaway;
  call.reply(Buffer.from("the last one"));
  assert.deepEqual((await answer).body, frame("the last one"));
  await stopped;
});

test("a connection that says nothing does not hold up the end, and one that waits for an answer is not cut", async () => {
  const handled = Promise.withResolvers<GrpcCall>();
  const server = await start({ "/a.B/Echo": { onMessage: (call) => handled.resolve(call) } });
  const silent = connectTcp(server.port, "127.0.0.1")
    .on("error", () => undefined)
    .pause(); // it reads nothing either
  const answer = ask(dial(server));
  const [call] = await Promise.all([handled.promise, once(silent, "connect")]);
  const idle = dial(server);
  await once(idle, "remoteSettings");
  const stopped = server.stop();
  await once(idle, "close");
  call.reply(Buffer.from("late"));
  assert.deepEqual((await answer).body, frame("late"));
  await stopped;
  silent.destroy();
});

test("bytes that are no HTTP/2 cost their own connection only", async () => {
  const server = await start({ "/a.B/Echo": echo });
  const session = dial(server);
  for (const bytes of [
    "GET / HTTP/1.1\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    "\0".repeat(1000),
  ]) {
    const socket = connectTcp({ port: server.port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    socket.resume();
    socket.write(Buffer.from(bytes, "latin1"));
    await once(socket, "close");
  }
  assert.equal((await ask(session)).status, "0");
});

test("a client that opens and resets streams without end is cut off", async () => {
  const server = await start({ "/a.B/Hang": { onMessage: () => undefined }, "/a.B/Echo": echo });
  const hostile = dial(server);
  const closed = new Promise<void>((resolve) => void hostile.once("close", () => resolve()));
  const flood = (): void => {
    if (hostile.closed || hostile.destroyed) return;
    for (let count = 0; count < 200; count += 1) {
      const stream = hostile.request(
        { ":method": "POST", ":path": "/a.B/Hang", "content-type": "application/grpc" },
        { endStream: false },
      );
      stream.on("error", () => undefined);
      stream.close(constants.NGHTTP2_CANCEL);
    }
    setImmediate(flood);
  };
  flood();
  await closed;
  assert.equal((await ask(dial(server))).status, "0");
});

test("requests that would fill the memory together are refused, and their memory is free again", async () => {
  const server = await startGrpcServer({
    host: "127.0.0.1",
    port: 0,
    maxMessageBytes: MAX,
    bodies: new BodyBudget(6000),
    methods: new Map([["/a.B/Echo", echo]]),
  });
  open.push({ end: () => server.cut() });
  const session = dial(server);
  const begin = (): {
    readonly stream: ReturnType<ClientHttp2Session["request"]>;
    readonly refused: Promise<unknown>;
  } => {
    const stream = session.request(
      { ":method": "POST", ":path": "/a.B/Echo", "content-type": "application/grpc" },
      { endStream: false },
    );
    stream.on("error", () => undefined);
    stream.write(frame(Buffer.alloc(MAX)).subarray(0, 4000));
    return {
      stream,
      refused: new Promise(
        (resolve) => void stream.once("response", (fields) => resolve(fields["grpc-status"])),
      ),
    };
  };
  const first = begin();
  assert.equal(await begin().refused, "8");
  const closed = new Promise<void>((resolve) => void first.stream.once("close", () => resolve()));
  first.stream.close(constants.NGHTTP2_CANCEL);
  await closed;
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => ask(session, { chunks: [frame(Buffer.alloc(MAX))] })),
  );
  assert.deepEqual(
    answers.map(({ status }) => status),
    answers.map(() => "0"),
  );
});

test("answers pings, and sends trailers whatever is in them", async () => {
  const session = dial(
    await start({
      "/a.B/Echo": {
        onMessage: (call) =>
          call.fail({
            status: "UNKNOWN",
            message: "",
            trailers: { "seldon-reason": "two\r\nlines ü" },
          }),
      },
    }),
  );
  assert.equal((await ask(session)).headers["seldon-reason"], "two%0D%0Alines %C3%BC");
  await new Promise<void>(
    (resolve, reject) => void session.ping((error) => (error === null ? resolve() : reject(error))),
  );
});

test("ends a connection on which nothing moves, and not one that waits for an answer", async () => {
  const handled = Promise.withResolvers<GrpcCall>();
  const server = await startGrpcServer({
    host: "127.0.0.1",
    port: 0,
    maxMessageBytes: MAX,
    idleMs: 50,
    methods: new Map([["/a.B/Echo", { onMessage: (call) => handled.resolve(call) }]]),
  });
  open.push({ end: () => server.cut() });
  const session = dial(server);
  const ended = once(session, "close");
  const goaway = once(session, "goaway");
  const answer = ask(session);
  const call = await handled.promise;
  await goaway;
  call.reply(Buffer.from("late"));
  assert.deepEqual((await answer).body, frame("late"));
  await ended;
});

test("tells observers of named methods only, once for each call", async () => {
  const seen: string[] = [];
  const server = await startGrpcServer({
    ...{ host: "127.0.0.1", port: 0, maxMessageBytes: MAX },
    methods: new Map([
      ["/a.B/Echo", { ...echo, name: "echo" }],
      ["/a.B/Quiet", echo],
    ]),
    onCall: (call) => void seen.push(`call ${call.endpoint}`),
    onAnswer: (call) => void seen.push(`${call.endpoint} ${call.status}`),
  });
  open.push({ end: () => server.cut() });
  const session = dial(server);
  await ask(session);
  await ask(session, { path: "/a.B/Quiet" });
  await ask(session, { chunks: [] });
  assert.deepEqual(seen, ["call echo", "echo OK", "call echo", "echo INTERNAL"]);
});
