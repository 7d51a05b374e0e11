import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { ModelDescription } from "../../src/models/description/index.ts";
import { createLogger, serveModel } from "../../src/serving/server/index.ts";
import { requirePeer } from "../support/peers.ts";

const SOURCE = `
import json, threading
from uai.arch.tf_model import TFAiUcloudModel
class Model(TFAiUcloudModel):
    def load_model(self):
        self.gate = threading.Event()
        self.sizes = []
        return "loaded"
    def execute(self, data, batch_size):
        self.sizes.append(batch_size)
        answers = []
        for item in data:
            text = item.read()
            if text == b"slow":
                self.gate.wait(0.05)
            if text == b"bad":
                raise ValueError("cannot read this one")
            if text == b"about":
                text = json.dumps([item.method, item.GET.get("q"), item.headers["X-User"], item.META["HTTP_X_USER"], item.content_type]).encode()
            if text == b"sizes":
                text = json.dumps(self.sizes).encode()
            answers.append(text)
        return answers[:-1] if b"short" in answers else answers
`;

async function serve(
  t: TestContext,
  server: ModelDescription["server"] = {},
): Promise<
  | {
      readonly post: (body: string | Uint8Array<ArrayBuffer>) => Promise<Response>;
      readonly url: string;
    }
  | undefined
> {
  const python = await requirePeer(t, "python3");
  if (python === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), "slipway-uai-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "main_module.py"), SOURCE);
  await writeFile(
    join(folder, "ufile.json"),
    JSON.stringify({
      http_server: {
        exec: { main_file: "main_module", main_class: "Model" },
        tensorflow: { model_dir: "." },
      },
    }),
  );
  const description: ModelDescription = {
    schemaVersion: 1,
    name: "uai",
    kind: "class",
    contract: "uai",
    service: "MODEL",
    codePath: folder,
    code: { file: "main_module.py", name: "Model", language: "python" },
    ports: { http: 0 },
    server,
    python: { executable: python, path: [] },
  };
  const running = await serveModel(description, {
    host: "127.0.0.1",
    log: createLogger({ level: "fatal", write: () => undefined }),
    signal: t.signal,
  });
  t.after(() => running.stop({ graceMs: 1000 }));
  const url = `http://127.0.0.1:${running.ports.http}`;
  return { url, post: (body) => fetch(`${url}/service`, { method: "POST", body }) };
}

test("any body goes in and its answer comes back, with health, metrics and the Seldon protocol beside it", async (t) => {
  const server = await serve(t);
  if (server === undefined) return;
  const binary = Buffer.from([0, 255, 1, 254]);
  const answer = await server.post(binary);
  assert.deepEqual(
    [answer.status, answer.headers.get("content-type"), Buffer.from(await answer.arrayBuffer())],
    [200, "application/octet-stream", binary],
  );
  assert.equal(await (await server.post("héllo\n")).text(), "héllo\n");
  const large = Buffer.alloc(3_000_000, "x");
  assert.deepEqual(Buffer.from(await (await server.post(large)).arrayBuffer()), large);
  assert.equal((await server.post("")).status, 200);
  assert.equal((await fetch(`${server.url}/ready`)).status, 200);
  assert.equal((await fetch(`${server.url}/service`)).status, 405);
  assert.equal(
    await (
      await fetch(`${server.url}/service`, { method: "PUT", body: "as curl -T sends it" })
    ).text(),
    "as curl -T sends it",
  );
  assert.match(await (await fetch(`${server.url}/metrics`)).text(), /service/);
  const seldon = await fetch(`${server.url}/predict`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"strData": "two"}',
  });
  assert.equal(((await seldon.json()) as { strData?: string }).strData, "two");
});

test("a request that the class cannot answer gets a 500 that says why, and its neighbours their answers", async (t) => {
  const server = await serve(t, { maxBatch: 16 });
  if (server === undefined) return;
  const bodies = [
    "slow",
    ...Array.from({ length: 12 }, (_, index) =>
      index === 5 ? "bad" : index === 8 ? "short" : `body ${index}`,
    ),
  ];
  const answers = await Promise.all(
    bodies.map(async (body) =>
      server.post(body).then(async (answer) => [answer.status, await answer.text()] as const),
    ),
  );
  bodies.forEach((body, index) => {
    const [status, text] = answers[index] ?? [0, ""];
    if (body === "bad") assert.deepEqual([status, text], [500, "cannot read this one\n"]);
    else if (body === "short")
      assert.deepEqual([status, text], [500, "execute gave 0 answers for 1 requests\n"]);
    else assert.deepEqual([status, text], [200, body]);
  });
});

test("requests that lie ready together are executed together, and never more than the limit", async (t) => {
  const server = await serve(t, { maxBatch: 4, maxWaitMs: 20 });
  if (server === undefined) return;
  await Promise.all(Array.from({ length: 40 }, (_, index) => server.post(`${index}`)));
  const sizes = (await (await server.post("sizes")).json()) as number[];
  assert.ok(Math.max(...sizes) > 1, sizes.join());
  assert.ok(Math.max(...sizes) <= 4, sizes.join());
  assert.equal(
    sizes.reduce((sum, size) => sum + size),
    41,
  );
});

test("a class sees the request behind the body, as Django showed it", async (t) => {
  const service = await serve(t);
  if (service === undefined) return;
  const answer = await fetch(`${service.url}/service?q=a%20b`, {
    method: "PUT",
    body: "about",
    headers: { "X-User": "me", "Content-Type": "text/x-words; charset=utf-8" },
  });
  assert.deepEqual(await answer.json(), ["PUT", "a b", "me", "me", "text/x-words"]);
});
