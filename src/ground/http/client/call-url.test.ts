import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { callUrl, createHttpClient, download, type DownloadCall, type UrlCall } from "../index.ts";

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(t: TestContext, handle: Handle): Promise<string> {
  const server = createServer(handle).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function call(
  t: TestContext,
  url: string,
  options: Partial<UrlCall> = {},
): Promise<{ status: number; text: string }> {
  const client = createHttpClient();
  t.after(() => client[Symbol.dispose]());
  return callUrl(client, {
    action: "try",
    method: "GET",
    url: new URL(url),
    retry: { sleep: async () => undefined },
    ...options,
  }).then(async (response) => ({
    status: response.status,
    text: Buffer.from(await response.readBytes(10_000)).toString(),
  }));
}

async function fetched(
  t: TestContext,
  url: string,
  options: Partial<DownloadCall> = {},
): Promise<string> {
  const client = createHttpClient();
  t.after(() => client[Symbol.dispose]());
  const chunks: Uint8Array[] = [];
  const retry = { sleep: async () => undefined };
  for await (const chunk of download(client, {
    action: "try",
    url: new URL(url),
    maxBytes: 1000,
    retry,
    ...options,
  }))
    chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const to =
  (location: string): Handle =>
  (_, response) => {
    response.writeHead(302, { location }).end();
  };

test("a redirect to another origin takes along no header that may hold a secret", async (t) => {
  const seen: IncomingMessage["headers"][] = [];
  const other = await serve(t, (request, response) => {
    seen.push(request.headers);
    response.end("there");
  });
  const home = await serve(t, (request, response) => {
    seen.push(request.headers);
    to(request.url === "/a" ? "/b" : other)(request, response);
  });
  const headers = {
    authorization: "Bearer x",
    cookie: "a=b",
    "private-token": "y",
    accept: "text/plain",
    range: "bytes=0-",
  };
  assert.deepEqual(await call(t, `${home}/a`, { headers }), { status: 200, text: "there" });
  const kept = ["authorization", "cookie", "private-token", "accept", "range"].map((name) =>
    seen.map((one) => one[name] !== undefined),
  );
  assert.deepEqual(kept, [
    [true, true, false],
    [true, true, false],
    [true, true, false],
    [true, true, true],
    [true, true, true],
  ]);
});

test("redirects are bound in number, and are not followed with a body that is read once", async (t) => {
  let calls = 0;
  const home = await serve(t, (request, response) => {
    calls += 1;
    to(`/${calls}`)(request, response);
  });
  await assert.rejects(call(t, home), { code: "REGISTRY_PROTOCOL", message: /more than 5 times/ });
  assert.equal(calls, 6);
  await assert.rejects(call(t, home, { method: "POST" }), { code: "REGISTRY_PROTOCOL" });
  assert.equal(calls, 7);
});

test("a refusal that may pass is tried again after what Retry-After says; others are errors by status", async (t) => {
  const statuses = [503, 429, 200];
  const home = await serve(t, (request, response) => {
    const status = request.url === "/none" ? 404 : (statuses.shift() ?? 500);
    response.writeHead(status, { "retry-after": "7" }).end("x");
  });
  const pauses: number[] = [];
  const retry = { sleep: async (ms: number) => void pauses.push(ms) };
  assert.equal((await call(t, home, { retry })).status, 200);
  assert.deepEqual(pauses, [7000, 7000]);
  await assert.rejects(call(t, `${home}/none`, { retry }), {
    code: "REFERENCE_NOT_FOUND",
    status: 404,
  });
  await assert.rejects(call(t, home, { retry: { ...retry, attempts: 2 } }), {
    code: "REGISTRY_UNAVAILABLE",
  });
  assert.equal(pauses.length, 3);
});

const CONTENT = "0123456789".repeat(50);

/** Hands out the content and cuts the connection after some bytes, each time. */
function cutting(every: number, headers: (request: IncomingMessage) => Record<string, string>) {
  const ranges: (string | undefined)[] = [];
  const handle: Handle = (request, response) => {
    const { range } = request.headers;
    ranges.push(range);
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
    response.writeHead(range === undefined ? 200 : 206, {
      "content-length": String(CONTENT.length - start),
      ...(range !== undefined && {
        "content-range": `bytes ${start}-${CONTENT.length - 1}/${CONTENT.length}`,
      }),
      ...headers(request),
    });
    const part = CONTENT.slice(start, start + every);
    if (start + every >= CONTENT.length) response.end(part);
    else response.write(part, () => response.destroy());
  };
  return { handle, ranges };
}

test("a download that breaks off goes on where it was, when the content has a name", async (t) => {
  const { handle, ranges } = cutting(200, () => ({ etag: '"v1"' }));
  assert.equal(await fetched(t, await serve(t, handle)), CONTENT);
  assert.deepEqual(ranges, [undefined, "bytes=200-", "bytes=400-"]);
  const nameless = cutting(200, () => ({ etag: 'W/"v1"' }));
  await assert.rejects(fetched(t, await serve(t, nameless.handle)), {
    code: "REGISTRY_UNREACHABLE",
  });
});

test("content that changed meanwhile is an error, and the same content from its start is skipped to the place", async (t) => {
  let version = 0;
  const changing: Handle = (_, response) => {
    version += 1;
    response.writeHead(200, { etag: `"v${version}"`, "content-length": String(CONTENT.length) });
    response.write(CONTENT.slice(0, 100), () => response.destroy());
  };
  await assert.rejects(fetched(t, await serve(t, changing)), { message: /changed the content/ });
  let calls = 0;
  const rangeless: Handle = (_, response) => {
    calls += 1;
    response.writeHead(200, { etag: '"v1"', "content-length": String(CONTENT.length) });
    if (calls === 2) response.end(CONTENT);
    else response.write(CONTENT.slice(0, 100), () => response.destroy());
  };
  assert.equal(await fetched(t, await serve(t, rangeless)), CONTENT);
});

test("a download without end is refused by its stated length, and by what came", async (t) => {
  const stated = await serve(t, (_, response) => void response.end("x".repeat(1001)));
  await assert.rejects(fetched(t, stated), { code: "LIMIT_EXCEEDED" });
  const endless = await serve(t, (_, response) => {
    response.writeHead(200);
    const more = (): void => void (response.destroyed || response.write("x".repeat(500), more));
    more();
  });
  await assert.rejects(fetched(t, endless), { code: "LIMIT_EXCEEDED" });
});
