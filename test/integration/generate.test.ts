import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createLogger, serveModel } from "../../src/serving/server/index.ts";
import { pythonEnv } from "../support/python-env.ts";

/** Yields the text so many times; fails after three, and tells a file when it is made to stop. */
const SOURCE = `
import numpy

class Model:
    def predict(self, inputs, parameters):
        text = inputs["text_input"].reshape(-1)[0]
        times = int(parameters.get("times", 2))
        try:
            for at in range(times):
                if at == 3 and not parameters.get("endless"):
                    raise ValueError("three are enough")
                yield {"text_output": numpy.array([text], dtype=object), "at": numpy.array([at])}
        finally:
            open("stopped", "w").close()
`;

async function start(t: TestContext): Promise<{ url: string; folder: string } | undefined> {
  const environment = await pythonEnv(t, { packages: ["numpy"] });
  if (environment === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), "slipway-generate-"));
  await writeFile(join(folder, "model.py"), SOURCE);
  const server = await serveModel(
    {
      ...{ schemaVersion: 1, name: "m", kind: "class", contract: "kserve", service: "MODEL" },
      codePath: folder,
      code: { file: "model.py", name: "Model", language: "python" },
      ports: { http: 0 },
      server: {},
      python: { executable: environment.python, path: [] },
    },
    { host: "127.0.0.1", log: createLogger({ level: "fatal", write: () => undefined }) },
  );
  t.after(async () => {
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });
  return { url: `http://127.0.0.1:${server.ports.http}/v2/models/m`, folder };
}

const post = (url: string, body: unknown): Promise<Response> =>
  fetch(url, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) });

function eventsIn(text: string): readonly unknown[] {
  assert.ok(text.endsWith("\n\n"));
  return text
    .slice(0, -2)
    .split("\n\n")
    .map((event) => JSON.parse(event.replace(/^data: /, "")) as unknown);
}

test("generate gives the only answer, and generate_stream each of several as an event", async (t) => {
  const served = await start(t);
  if (served === undefined) return;
  const { url } = served;
  const one = await post(`${url}/generate`, {
    id: "7",
    text_input: "ä",
    parameters: { times: 1 },
  });
  assert.deepEqual(
    [one.status, await one.json()],
    [200, { id: "7", model_name: "m", model_version: "1", text_output: "ä", at: 0 }],
  );
  const several = await post(`${url}/generate`, { text_input: "a" });
  assert.equal(several.status, 400);
  assert.match(await several.text(), /several answers/);

  const streamed = await post(`${url}/versions/1/generate_stream`, { text_input: "a" });
  assert.equal(streamed.headers.get("content-type"), "text/event-stream; charset=utf-8");
  assert.deepEqual(
    eventsIn(await streamed.text()),
    [0, 1].map((at) => ({ model_name: "m", model_version: "1", text_output: "a", at })),
  );
});

test("what fails before the first event is an answer, what fails later an event, and a client that goes ends the model's work", async (t) => {
  const served = await start(t);
  if (served === undefined) return;
  const { url, folder } = served;
  for (const body of ["{", "[]", { text_input: null }, { parameters: { times: [1] } }]) {
    const refused = await post(`${url}/generate_stream`, body);
    assert.equal(refused.status, 400, await refused.text());
  }
  const failed = await post(`${url}/generate_stream`, {
    text_input: "a",
    parameters: { times: 9 },
  });
  const events = eventsIn(await failed.text());
  assert.deepEqual([failed.status, events.length], [200, 4]);
  assert.match(JSON.stringify(events[3]), /three are enough/);

  await rm(join(folder, "stopped"));
  const leaving = new AbortController();
  const endless = await fetch(`${url}/generate_stream`, {
    method: "POST",
    body: JSON.stringify({ text_input: "a", parameters: { times: 1e9, endless: true } }),
    signal: leaving.signal,
  });
  const reader = endless.body?.getReader();
  assert.equal((await reader?.read())?.done, false);
  leaving.abort();
  while (!(await exists(join(folder, "stopped"))));
  assert.equal(
    (await post(`${url}/generate`, { text_input: "b", parameters: { times: 1 } })).status,
    200,
  );
});

async function exists(path: string): Promise<boolean> {
  return rm(path).then(
    () => true,
    () => false,
  );
}
