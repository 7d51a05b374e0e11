import assert from "node:assert/strict";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import type { ModelDescription } from "../../src/models/description/index.ts";
import { encodePng } from "../../src/models/inputs/index.ts";
import { createLogger, serveModel, type RunningServer } from "../../src/serving/server/index.ts";

const FIXTURES = resolve(import.meta.dirname, "../fixtures/onnx");
const NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/** A picture of 8 x 8 pixels, 0 to 16 each, and the digit that it shows. */
interface Sample {
  readonly row: readonly number[];
  readonly digit: number;
}

let samples: readonly Sample[] = [];
let folder = "";
let server: RunningServer;
let url = "";

function describe(name: string, more: Partial<ModelDescription> = {}): ModelDescription {
  return {
    ...{ schemaVersion: 1, name, kind: "onnx", contract: "model-server", service: "MODEL" },
    modelPath: join(folder, "digits.onnx"),
    ports: { http: 0 },
    server: {},
    ...more,
  };
}

before(async () => {
  const data = JSON.parse(await readFile(join(FIXTURES, "digits-rows.json"), "utf8")) as {
    readonly rows: readonly (readonly number[])[];
    readonly labels: readonly number[];
  };
  samples = data.rows.map((row, at) => ({ row, digit: data.labels[at] ?? -1 }));
  folder = await mkdtemp(join(tmpdir(), "slipway-model-server-"));
  await copyFile(join(FIXTURES, "digits.onnx"), join(folder, "digits.onnx"));
  server = await serveModel(describe("digits", { preprocess: { scale: 1 / 15 } }), {
    host: "127.0.0.1",
    others: {
      models: [
        {
          ...{ name: "named", version: "1" },
          describe: async () =>
            describe("named", { preprocess: { scale: 1 / 15 }, postprocess: { top: 2 } }),
        },
      ],
    },
    log: createLogger({ level: "fatal", write: () => undefined }),
  });
  url = `http://127.0.0.1:${server.ports.http}`;
});

after(async () => {
  await server?.stop({ graceMs: 1000 });
  await rm(folder, { recursive: true, force: true });
});

/** The picture as a file: a pixel of 16 becomes one of 240. */
function pngOf({ row }: Sample): Uint8Array<ArrayBuffer> {
  const data = Uint8Array.from(row.flatMap((value) => [15 * value, 15 * value, 15 * value, 255]));
  return Uint8Array.from(encodePng({ width: 8, height: 8, data }));
}

interface Answer {
  readonly model: string;
  readonly version: string;
  readonly predictions?: readonly {
    readonly class: number;
    readonly label?: string;
    readonly score: number;
    readonly top: readonly object[];
  }[];
  readonly outputs: Readonly<Record<string, readonly unknown[]>>;
}

async function ask<T = Answer>(path: string, init: RequestInit, status = 200): Promise<T> {
  const response = await fetch(`${url}${path}`, { method: "POST", ...init });
  const text = await response.text();
  assert.equal(response.status, status, text);
  return JSON.parse(text) as T;
}

const json = (value: unknown): RequestInit => ({
  body: JSON.stringify(value),
  headers: { "content-type": "application/json" },
});

test("pictures that are uploaded are answered like their numbers, and nearly all are right", async () => {
  let right = 0;
  for (const sample of samples) {
    const byImage = await ask("/predict", { body: pngOf(sample) });
    const byNumbers = await ask("/predict", json({ inputs: { X: [sample.row] } }));
    assert.deepEqual(byImage, byNumbers);
    right += Number(byImage.predictions?.[0]?.class === sample.digit);
  }
  assert.ok(right >= 0.95 * samples.length, `${right} of ${samples.length}`);
});

/** The same two pictures in every form that a body may have. */
const FORMS: Readonly<Record<string, () => RequestInit>> = {
  "inputs by name": () => json({ inputs: { X: two().map(({ row }) => row) } }),
  "one tensor": () => json({ inputs: two().map(({ row }) => row) }),
  instances: () => json({ instances: two().map(({ row }) => row) }),
  "instances by name": () => json({ instances: two().map(({ row }) => ({ X: row })) }),
  "a bare list": () => json(two().map(({ row }) => row)),
  "the inputs themselves": () => json({ X: two().map(({ row }) => row) }),
  "typed tensors": () =>
    json({
      inputs: [
        { name: "X", datatype: "FP32", shape: [2, 64], data: two().flatMap(({ row }) => row) },
      ],
    }),
  "images in base64": () => json({ images: two().map((one) => base64(one)) }),
  "base64 in place of numbers": () =>
    json({ instances: two().map((one) => ({ b64: base64(one) })) }),
  CSV: () => ({
    body: two()
      .map(({ row }) => row.join(","))
      .join("\n"),
    headers: { "content-type": "text/csv" },
  }),
  "a form with images": () => ({ body: formOf(two().map((one) => [pngOf(one), "digit.png"])) }),
  "a form with a table": () => ({
    body: formOf([
      [
        Buffer.from(
          two()
            .map(({ row }) => row.join(","))
            .join("\n"),
        ),
        "rows.csv",
      ],
    ]),
  }),
  "JSON that curl calls a form": () => ({
    body: JSON.stringify({ inputs: two().map(({ row }) => row) }),
    headers: { "content-type": "application/x-www-form-urlencoded" },
  }),
};

function two(): readonly Sample[] {
  return samples.slice(0, 2);
}

function base64(sample: Sample): string {
  return Buffer.from(pngOf(sample)).toString("base64");
}

function formOf(
  files: readonly (readonly [bytes: Uint8Array<ArrayBuffer>, name: string])[],
): FormData {
  const form = new FormData();
  for (const [bytes, name] of files) form.append("file", new Blob([bytes]), name);
  return form;
}

for (const [what, request] of Object.entries(FORMS))
  test(`two rows as ${what} are one batch`, async () => {
    const answer = await ask("/predict", request());
    assert.deepEqual(
      answer.predictions?.map((one) => one.class),
      two().map(({ digit }) => digit),
    );
    assert.deepEqual(Object.keys(answer.outputs), ["label", "probabilities"]);
  });

test("answers have the best classes with their names, as many as are asked for, and the outputs that are asked for", async () => {
  await using labelled = await serveModel(
    describe("digits", { labels: NAMES, preprocess: { scale: 1 / 15 } }),
    { host: "127.0.0.1", log: createLogger({ level: "fatal", write: () => undefined }) },
  );
  const [sample = { row: [], digit: 0 }] = samples;
  const response = await fetch(
    `http://127.0.0.1:${labelled.ports.http}/predict?top=3&outputs=label`,
    {
      method: "POST",
      body: pngOf(sample),
    },
  );
  const { predictions, outputs } = (await response.json()) as Answer;
  assert.equal(predictions?.[0]?.top.length, 3);
  assert.equal(predictions[0].label, NAMES[sample.digit]);
  assert.deepEqual(outputs, { label: [sample.digit] });
});

/** Requests that do not fit, and what the refusal says. */
const REFUSED: Readonly<
  Record<
    string,
    {
      readonly path?: string;
      readonly request: () => RequestInit;
      readonly status?: number;
      readonly error: Readonly<Record<string, string | RegExp>>;
    }
  >
> = {
  "a row that is too short": {
    request: () => json({ inputs: [[1, 2, 3]] }),
    error: {
      code: "TENSOR_INVALID",
      tensor: "X",
      expected: "(-1,64)",
      actual: "(1,3)",
      message: /"X" has shape \(1,3\), and \(-1,64\) is wanted/,
    },
  },
  "text for numbers": {
    request: () => json({ inputs: [["a"]] }),
    error: { code: "TENSOR_INVALID", tensor: "X" },
  },
  "an input that there is not": {
    request: () => json({ inputs: { Y: [[1]] } }),
    error: { code: "TENSOR_INVALID", tensor: "Y", message: /no such input; it takes "X"/ },
  },
  "no inputs": {
    request: () => json({}),
    error: { code: "REQUEST_INVALID", hint: /inputs/ },
  },
  "no JSON": {
    request: () => ({ body: '{"inputs": [', headers: { "content-type": "application/json" } }),
    error: { code: "REQUEST_INVALID", message: /no JSON/ },
  },
  "an empty body": {
    request: () => ({ body: "" }),
    error: { code: "REQUEST_INVALID", message: /empty/ },
  },
  "a table with a word": {
    request: () => ({
      body: Array.from({ length: 64 }, (_, at) => (at === 9 ? "x" : "1")).join(","),
      headers: { "content-type": "text/csv" },
    }),
    error: { code: "TENSOR_INVALID", tensor: "X", message: /row 1, column 10/ },
  },
  "a picture that is cut off": {
    request: () => ({ body: pngOf(samples[0] ?? { row: [], digit: 0 }).subarray(0, 60) }),
    error: { code: "REQUEST_INVALID", message: /damaged PNG/ },
  },
  "a picture of too many pixels": {
    request: () => {
      const png = Buffer.from(pngOf(samples[0] ?? { row: [], digit: 0 }));
      png.writeUInt32BE(40_000, 16);
      png.writeUInt32BE(40_000, 20);
      return { body: Uint8Array.from(png) };
    },
    status: 413,
    error: { code: "LIMIT_EXCEEDED", message: /40000 x 40000 pixels/ },
  },
  "a file that is no picture": {
    request: () => ({ body: "BM nonsense", headers: { "content-type": "image/bmp" } }),
    error: { code: "REQUEST_INVALID", message: /image\/bmp/ },
  },
  "a setting that there is not": {
    path: "/predict?tpo=3",
    request: () => json({ inputs: [samples[0]?.row] }),
    error: { code: "REQUEST_INVALID", message: /"tpo"/, hint: /top/ },
  },
  "a size that is not the model's": {
    path: "/predict?size=7x8",
    request: () => ({ body: pngOf(samples[0] ?? { row: [], digit: 0 }) }),
    error: { code: "TENSOR_INVALID", tensor: "X", expected: "FP32 (-1,64)", actual: "an image" },
  },
  "a model that there is not": {
    path: "/predict/cats",
    request: () => json({ inputs: [samples[0]?.row] }),
    status: 404,
    error: { code: "MODEL_NOT_FOUND", message: /"cats"/ },
  },
  "a version that there is not": {
    path: "/predict?version=7",
    request: () => json({ inputs: [samples[0]?.row] }),
    status: 404,
    error: { code: "MODEL_NOT_FOUND", message: /version "7"/ },
  },
};

for (const [what, { path = "/predict", request, status = 400, error }] of Object.entries(REFUSED))
  test(`${what} is refused`, async () => {
    const refusal = await ask<{ readonly error: Readonly<Record<string, string>> }>(
      path,
      request(),
      status,
    );
    for (const [field, want] of Object.entries(error)) {
      const found = refusal.error[field] ?? "";
      if (typeof want === "string") assert.equal(found, want);
      else assert.match(found, want);
    }
  });

test("several models answer by name and version, each with its own settings", async () => {
  const [sample = { row: [], digit: 0 }] = samples;
  for (const path of ["/predict/named", "/predict/named/1", "/predict?model=named&version=1"]) {
    const answer = await ask(path, { body: pngOf(sample) });
    assert.equal(answer.model, "named");
    assert.equal(answer.predictions?.[0]?.top.length, 2);
  }
});

test("/info says what models take and give, and what becomes of pictures", async () => {
  const info = (await (await fetch(`${url}/info`)).json()) as {
    readonly models: readonly object[];
  };
  const one = (await (await fetch(`${url}/info/digits/1`)).json()) as object;
  assert.equal(info.models.length, 2);
  assert.deepEqual(info.models[0], one);
  assert.deepEqual(one, {
    ...{ name: "digits", version: "1", state: "ready", kind: "onnx" },
    platform: "onnxruntime_onnx",
    inputs: [
      {
        ...{ name: "X", datatype: "FP32", shape: [-1, 64] },
        image: {
          ...{ size: [8, 8], channels: "grey", layout: "NHWC", scale: 1 / 15 },
          ...{ mean: [0], std: [1], fit: "stretch", resample: "bilinear" },
        },
      },
    ],
    outputs: [
      { name: "label", datatype: "INT64", shape: [-1] },
      { name: "probabilities", datatype: "FP32", shape: [-1, 10] },
    ],
  });
});

test("/health answers while pictures are decoded", async () => {
  const large = Uint8Array.from(
    encodePng({ width: 5000, height: 5000, data: new Uint8Array(4 * 5000 * 5000) }),
  );
  const asked = ask("/predict", { body: large });
  let probes = 0;
  let isAnswered = false;
  void asked.then(() => (isAnswered = true));
  while (!isAnswered) {
    const health = await fetch(`${url}/health`);
    assert.equal(health.status, 200);
    assert.equal(((await health.json()) as { readonly status: string }).status, "ready");
    probes += 1;
  }
  await asked;
  assert.ok(probes > 3, `${probes} probes while one picture was decoded`);
});
