import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import type { ComponentMethod } from "../plane/index.ts";
import { seldonJsonToProto, type SeldonMessageName } from "../protocols/index.ts";
import type { GraphAnswer, NodePeer } from "./contracts.ts";
import { createRemoteGrpcNode } from "./remote-grpc-node.ts";

interface Seen {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Answer {
  readonly message?: Buffer;
  readonly status?: string;
  readonly text?: string;
}

function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([prefix, message]);
}

async function started(
  t: TestContext,
  { message, status = "0", text = "" }: Answer,
): Promise<{ readonly port: number; readonly seen: Seen[]; readonly close: () => Promise<void> }> {
  const seen: Seen[] = [];
  const server = createServer();
  server.on("stream", (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      seen.push({ headers, body: Buffer.concat(chunks) });
      stream.respond(
        { ":status": 200, "content-type": "application/grpc" },
        { waitForTrailers: true },
      );
      stream.once("wantTrailers", () =>
        stream.sendTrailers({ "grpc-status": status, "grpc-message": text }),
      );
      stream.end(message === undefined ? undefined : framed(message));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, seen, close };
}

function nodeAt(t: TestContext, port: number, maxAnswerBytes = 1000): NodePeer {
  const peer = createRemoteGrpcNode({ name: "far", host: "127.0.0.1", port, maxAnswerBytes });
  t.after(() => peer[Symbol.dispose]());
  return peer;
}

const MESSAGE = '{"data":{"tensor":{"shape":[1,2],"values":[1.5,2]}}}';
const ANSWER = seldonJsonToProto(
  Buffer.from('{"meta":{"tags":{"a":"b"}},"strData":"x"}'),
  "SeldonMessage",
);

function ask(peer: NodePeer, method: ComponentMethod, body = MESSAGE): Promise<GraphAnswer> {
  return peer.call({
    method,
    message: { contentType: "application/json", body: Buffer.from(body) },
    caller: {
      requestId: "id-1",
      headers: { host: "outside", te: "x", "x-mine": "v" },
      isGrpc: true,
    },
    signal: undefined,
  });
}

const CALLS: readonly (readonly [ComponentMethod, string, SeldonMessageName, string, string])[] = [
  ["predict", "Model/Predict", "SeldonMessage", MESSAGE, MESSAGE],
  ["transform-input", "Transformer/TransformInput", "SeldonMessage", MESSAGE, MESSAGE],
  ["transform-output", "OutputTransformer/TransformOutput", "SeldonMessage", MESSAGE, MESSAGE],
  ["route", "Router/Route", "SeldonMessage", MESSAGE, MESSAGE],
  [
    ...(["aggregate", "Combiner/Aggregate", "SeldonMessageList"] as const),
    `[${MESSAGE},${MESSAGE}]`,
    `{"seldonMessages":[${MESSAGE},${MESSAGE}]}`,
  ],
  ["send-feedback", "Model/SendFeedback", "Feedback", '{"reward":1}', '{"reward":1}'],
];

for (const [method, path, type, body, sent] of CALLS)
  test(`${method} is asked as ${path}, with the message in protobuf`, async (t) => {
    const { port, seen } = await started(t, { message: ANSWER });
    const { status, contentType, body: answered } = await ask(nodeAt(t, port), method, body);
    assert.deepEqual([status, contentType], [200, "application/json"]);
    assert.deepEqual(JSON.parse(answered.toString()), { meta: { tags: { a: "b" } }, strData: "x" });
    const [one] = seen;
    assert.equal(one?.headers[":path"], `/seldon.protos.${path}`);
    assert.deepEqual(one?.body, framed(seldonJsonToProto(Buffer.from(sent), type)));
    assert.deepEqual(
      ["seldon-puid", "x-mine", "te", "content-type"].map((name) => one?.headers[name]),
      ["id-1", "v", "trailers", "application/grpc"],
    );
  });

test("an error of the node is 500 with what it said", async (t) => {
  const { port } = await started(t, { status: "2", text: "no%20%C3%A4" });
  const { status, body } = await ask(nodeAt(t, port), "predict");
  assert.equal(status, 500);
  assert.deepEqual(JSON.parse(body.toString()), {
    status: { code: 500, info: "no ä", status: "FAILURE" },
  });
});

test("a node that is not there, or says too much, is an error, and the next call opens a connection anew", async (t) => {
  const first = await started(t, { message: ANSWER });
  const peer = nodeAt(t, first.port);
  assert.equal((await ask(peer, "predict")).status, 200);
  assert.equal((await ask(peer, "predict")).status, 200);
  await assert.rejects(
    ask(nodeAt(t, first.port, 3), "predict"),
    /far": its answer is longer than 3/,
  );
  const gone = await started(t, {});
  await gone.close();
  const nobody = nodeAt(t, gone.port);
  assert.equal(await nobody.isReady(false), false);
  await assert.rejects(ask(nobody, "predict"), /call the node "far": .*ECONNREFUSED/);
  await assert.rejects(ask(nobody, "predict"), /call the node "far": .*ECONNREFUSED/);
});
