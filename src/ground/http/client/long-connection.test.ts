import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createHttpClient } from "./create-http-client.ts";
import type { HttpClient, HttpResponse } from "./http-message.ts";

const BODY = randomBytes(5 * 2 ** 20 + 17);
const HEAD = `HTTP/1.1 200 OK\r\ncontent-length: ${BODY.length}\r\netag: "a"\r\n\r\n`;

/** A server that answers each request with these bytes, piece by piece, and closes. */
async function placeOf(
  t: TestContext,
  pieces: readonly Uint8Array[],
): Promise<{ readonly url: URL; readonly client: HttpClient }> {
  const server = createServer((socket: Socket) => {
    socket.on("error", () => undefined); // the client may leave early
    socket.once("data", () => void answer(socket, pieces));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = createHttpClient({ timeouts: { idleMs: 5000 } });
  t.after(() => {
    client[Symbol.dispose]();
    server.close();
  });
  return { client, url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/m`) };
}

async function answer(socket: Socket, pieces: readonly Uint8Array[]): Promise<void> {
  for (const piece of pieces) {
    if (!socket.write(piece))
      await new Promise((resolve) => socket.once("drain", resolve).once("close", resolve));
    await turn();
  }
  socket.end();
}

function ask({
  client,
  url,
}: {
  readonly client: HttpClient;
  readonly url: URL;
}): Promise<HttpResponse> {
  return client.send({ action: "get it", method: "GET", url, isLong: true });
}

async function sumOf(response: HttpResponse): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of response.body()) {
    hash.update(chunk);
    await turn(); // the body comes faster than it is taken
  }
  return hash.digest("hex");
}

const SUM = createHash("sha256").update(BODY).digest("hex");
const inPieces = (bytes: Uint8Array, length: number): readonly Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / length) }, (_, index) =>
    bytes.subarray(index * length, (index + 1) * length),
  );

const chunked = Buffer.concat([
  Buffer.from(
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${BODY.length.toString(16)}\r\n`,
  ),
  BODY,
  Buffer.from("\r\n0\r\n\r\n"),
]);

const ANSWERS: Readonly<Record<string, readonly Uint8Array[]>> = {
  "head and body at once": [Buffer.concat([Buffer.from(HEAD), BODY])],
  "a head byte by byte": [...inPieces(Buffer.from(HEAD), 1), BODY],
  "a body in small pieces": [Buffer.from(HEAD), ...inPieces(BODY, 3001)],
  "an answer before the answer": [
    Buffer.from(
      `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${HEAD}`,
    ),
    BODY,
  ],
  "a body in chunks": inPieces(chunked, 70_000),
  "a body that ends with the connection": [Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), BODY],
};

for (const [name, pieces] of Object.entries(ANSWERS))
  test(`a long answer comes whole: ${name}`, async (t) => {
    assert.equal(await sumOf(await ask(await placeOf(t, pieces))), SUM);
  });

test("a long answer that breaks off says so when all that came was taken", async (t) => {
  const place = await placeOf(t, [Buffer.from(HEAD), BODY.subarray(0, 3_000_000)]);
  const response = await ask(place);
  let bytes = 0;
  await assert.rejects(
    async () => {
      for await (const chunk of response.body()) bytes += chunk.byteLength;
    },
    { code: "REGISTRY_UNREACHABLE" },
  );
  assert.equal(bytes, 3_000_000);
});

test("a refusal over a long connection can be read, and left", async (t) => {
  const refusal = Buffer.from("HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\ngone");
  const place = await placeOf(t, [refusal]);
  const response = await ask(place);
  assert.equal(response.status, 404);
  assert.equal(Buffer.from(await response.readBytes(100)).toString(), "gone");
  await (await ask(place)).discard();
  await (await ask(place)).drop();
});

test("a long answer that is left early ends its connection", async (t) => {
  const place = await placeOf(t, [Buffer.from(HEAD), BODY]);
  for await (const chunk of (await ask(place)).body()) {
    assert.ok(chunk.byteLength > 0);
    break;
  }
});

test("a long answer ends with the signal's reason", async (t) => {
  const { client, url } = await placeOf(t, [Buffer.from(HEAD), ...inPieces(BODY, 1000)]);
  const stop = new AbortController();
  const response = await client.send({
    ...{ action: "get it", method: "GET", url, isLong: true },
    signal: stop.signal,
  });
  await assert.rejects(async () => {
    for await (const chunk of response.body()) stop.abort(new Error(`enough: ${chunk.length > 0}`));
  }, /enough: true/);
});

test("a head that no HTTP has is refused, and a silent server waited for so long only", async (t) => {
  await assert.rejects(ask(await placeOf(t, [Buffer.alloc(200_000, "x")])), {
    code: "REGISTRY_UNREACHABLE",
  });
  await assert.rejects(ask(await placeOf(t, [])), { code: "REGISTRY_UNREACHABLE" });
});
