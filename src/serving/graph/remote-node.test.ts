import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { createHttpClient } from "../../ground/http/index.ts";
import type { ComponentMethod } from "../plane/index.ts";
import type { GraphAnswer, NodePeer } from "./contracts.ts";
import { createRemoteNode } from "./remote-node.ts";

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function started(
  t: TestContext,
  answer: { readonly status: number; readonly type: string; readonly body: string },
): Promise<{ readonly server: Server; readonly port: number; readonly seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method, url, headers } = request;
      seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(answer.status, { "content-type": answer.type });
      response.end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { server, port: (server.address() as AddressInfo).port, seen };
}

function nodeAt(t: TestContext, httpPort: number, maxAnswerBytes = 1000): NodePeer {
  const client = createHttpClient();
  t.after(() => client[Symbol.dispose]());
  return createRemoteNode({
    name: "far",
    ...{ host: "127.0.0.1", httpPort },
    client,
    maxAnswerBytes,
  });
}

function ask(peer: NodePeer, method: ComponentMethod): Promise<GraphAnswer> {
  return peer.call({
    method,
    message: { contentType: "application/json", body: Buffer.from("{}") },
    caller: {
      requestId: "id-1",
      headers: { host: "outside", authorization: "Bearer t", "content-length": "9", "x-mine": "v" },
    },
    signal: undefined,
  });
}

test("the message goes to the path of its method, with the headers of the request", async (t) => {
  const { port, seen } = await started(t, { status: 200, type: "application/json", body: "{}" });
  const answer = await ask(nodeAt(t, port), "transform-input");
  assert.equal(answer.status, 200);
  const [{ method, url, headers, body } = { headers: {} } as Seen] = seen;
  assert.deepEqual([method, url, body], ["POST", "/transform-input", "{}"]);
  assert.equal(headers["seldon-puid"], "id-1");
  assert.equal(headers.authorization, "Bearer t");
  assert.equal(headers["x-mine"], "v");
  assert.equal(headers.host, `127.0.0.1:${port}`);
});

test("metadata are read by GET, without a body", async (t) => {
  const { port, seen } = await started(t, { status: 200, type: "application/json", body: "{}" });
  await ask(nodeAt(t, port), "metadata");
  assert.deepEqual([seen[0]?.method, seen[0]?.url, seen[0]?.body], ["GET", "/metadata", ""]);
});

test("status, type and body of an error come back as they are", async (t) => {
  const { port } = await started(t, { status: 503, type: "text/plain", body: "busy" });
  const { status, contentType, body } = await ask(nodeAt(t, port), "predict");
  assert.deepEqual([status, contentType, body.toString()], [503, "text/plain", "busy"]);
});

test("an answer that is too long is an error", async (t) => {
  const { port } = await started(t, { status: 200, type: "text/plain", body: "x".repeat(11) });
  await assert.rejects(ask(nodeAt(t, port, 10), "predict"), { code: "LIMIT_EXCEEDED" });
});

test("a node that is not there says so, and is not ready", async (t) => {
  const { server, port } = await started(t, { status: 200, type: "text/plain", body: "" });
  const peer = nodeAt(t, port);
  assert.equal(await peer.isReady(false), true);
  await new Promise((resolve) => server.close(resolve));
  await assert.rejects(ask(peer, "predict"), /far.*connection refused/);
  assert.equal(await peer.isReady(false), false);
});

for (const [status, isReady] of [
  [200, true],
  [503, false],
] as const) {
  test(`a full check of a node that answers ${status} to the question how it is says ${isReady}`, async (t) => {
    const { port, seen } = await started(t, { status, type: "text/plain", body: "" });
    assert.equal(await nodeAt(t, port).isReady(true), isReady);
    assert.equal(seen[0]?.url, "/api/v1.0/health/status");
  });
}
