import { Validator, type Schema } from "@cfworker/json-schema";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { createLogger, serveModel } from "../../src/serving/server/index.ts";
import { PROTOCOLS } from "../../src/serving/protocols/index.ts";
import { startV2Server } from "../support/v2-server.ts";

interface Media {
  readonly schema: object;
  readonly examples?: Readonly<
    Record<string, { readonly value?: unknown; readonly externalValue?: string }>
  >;
}
type Content = Readonly<Record<string, Media>>;
interface Operation {
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}
interface Document {
  readonly paths: Readonly<Record<string, { readonly post?: Operation }>>;
  readonly components: object;
}

/** Sends every example of the document and holds the answers against the document. @returns what was sent, by path */
async function sendExamples(url: string): Promise<readonly string[]> {
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
  const sent: string[] = [];
  for (const [path, { post }] of Object.entries(document.paths)) {
    for (const [type, { examples = {}, schema }] of Object.entries(
      post?.requestBody?.content ?? {},
    )) {
      for (const { value, externalValue } of Object.values(examples)) {
        const body =
          externalValue === undefined
            ? JSON.stringify(value)
            : await (await fetch(url + externalValue)).text();
        hold({ ...schema, components: document.components }, JSON.parse(body), `${path} takes`);
        const answer = await fetch(url + path, {
          method: "POST",
          headers: { "content-type": type },
          body,
        });
        const text = await answer.text();
        const isMeantToFail = /\/fail(?:[/:]|$)/.test(path);
        assert.equal(answer.status, isMeantToFail ? 500 : 200, `${path}: ${text}`);
        if (isMeantToFail) continue;
        const answered = post?.responses["200"]?.content?.["application/json"]?.schema;
        assert.ok(answered !== undefined, path);
        hold({ ...answered, components: document.components }, JSON.parse(text), `${path} gives`);
        sent.push(path);
      }
    }
  }
  return sent;
}

function hold(schema: Schema, value: unknown, what: string): void {
  const { valid, errors } = new Validator(schema, "4").validate(value);
  assert.ok(valid, `${what}: ${JSON.stringify(errors)}`);
}

for (const kind of ["class", "onnx"] as const) {
  test(`every example of the OpenAPI document is answered as it says: ${kind}`, async (t) => {
    await using server = await startV2Server(t, kind);
    if (server === undefined) return;
    const sent = await sendExamples(`http://127.0.0.1:${server.ports.http}`);
    for (const path of [
      "/predict",
      "/v2/models/identity_fp32/infer",
      "/v1/models/identity_fp32:predict",
      "/v1/models/identity_fp16:predict",
      "/v2/models/identity_bytes/infer",
      "/v2/models/add_sub/infer",
      "/predict/add_sub",
      "/predict/identity_bytes",
    ])
      assert.ok(sent.includes(path), `${path} is not among ${sent.join(", ")}`);
    assert.ok(!sent.includes("/v2/models/identity_fp16/infer"), "JSON has no half floats");
  });
}

test("an example that is too long for the document is to be had beside it, and its line for the shell works", async () => {
  await using server = await serveModel(
    {
      ...{ schemaVersion: 1, name: "a digit", kind: "onnx", contract: "kserve", service: "MODEL" },
      modelPath: resolve(import.meta.dirname, "../fixtures/onnx/digit28.onnx"),
      codePath: join(import.meta.dirname, "../fixtures/onnx"),
      ports: { http: 0 },
      server: {},
    },
    { host: "127.0.0.1", log: createLogger({ level: "fatal", write: () => undefined }) },
  );
  const url = `http://127.0.0.1:${server.ports.http}`;
  assert.equal((await sendExamples(url)).length, 4);
  const { signature } = server.models.model().predictor.describe();
  for (const row of PROTOCOLS.filter(({ name }) => name !== "uai")) {
    const line = row.sample(
      { name: "a digit", ...(signature !== undefined && { signature }) },
      url,
    );
    assert.ok(line.length < 300, line);
    const { stdout } = await promisify(execFile)("sh", ["-c", line]);
    assert.match(stdout, /0\.\d+/, line);
  }
  const none = await fetch(`${url}/openapi/examples/kserve/other`);
  assert.equal(none.status, 404);
});
