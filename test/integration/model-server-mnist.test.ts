import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { gunzipSync } from "node:zlib";
import type { ModelDescription } from "../../src/models/description/index.ts";
import { encodePng } from "../../src/models/inputs/index.ts";
import { detectModel } from "../../src/models/kinds/index.ts";
import { createLogger, serveModel } from "../../src/serving/server/index.ts";
import { modelFilesIn } from "../support/kinds/model-folder.ts";
import { CAFFE, KERAS, mnistData, TENSORFLOW, type MnistModel } from "../support/mnist.ts";
import { pythonEnv } from "../support/python-env.ts";

type Body = NonNullable<RequestInit["body"]>;

const CLIENTS = 16;
/** Pictures of one form: a batch. */
const TOGETHER = 50;

/**
 * The published models of handwritten digits, served from their files alone. SLIPWAY_TEST_DATA names the folder; what is carried stands in
 * `model-server.test.ts`.
 */
for (const model of [CAFFE, KERAS, TENSORFLOW])
  test(`the files of ${model.framework} alone answer 2 for the picture of a 2, and ${model.correct} of 10,000 pictures rightly`, async (t) =>
    holds(t, model));

async function holds(t: TestContext, model: MnistModel): Promise<void> {
  const folder = mnistData(t, model.folder);
  const python = await pythonEnv(t, { packages: model.packages });
  if (folder === undefined || python === undefined) return;
  const found = await detectModel({ folder, files: modelFilesIn(folder) });
  assert.equal(found.obstacle, undefined);
  const description: ModelDescription = {
    ...{ schemaVersion: 1, name: "mnist", kind: found.chosen.kind, contract: "model-server" },
    ...{ service: "MODEL", ports: { http: 0 }, server: { maxBatch: 32 }, codePath: folder },
    modelPath: join(folder, found.chosen.modelPath ?? ""),
    ...(found.signature !== undefined && { signature: found.signature }),
    postprocess: { top: 1 },
    python: { executable: python.python, path: [] },
  };
  const log = createLogger({ level: "fatal", write: () => undefined });
  await using server = await serveModel(description, { host: "127.0.0.1", log });
  const url = `http://127.0.0.1:${server.ports.http}/predict?outputs=none`;
  const ask = async (body: Body): Promise<readonly number[]> => {
    const response = await fetch(url, { method: "POST", body });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    const { predictions } = JSON.parse(text) as {
      readonly predictions: readonly { readonly class: number }[];
    };
    return predictions.map((one) => one.class);
  };
  assert.deepEqual(await ask(readFileSync(join(folder, "../2.jpg"))), [2]);
  assert.equal(await countRight(folder, ask), model.correct);
}

type Ask = (body: Body) => Promise<readonly number[]>;

/** Asks for all test pictures, several clients at once. */
async function countRight(folder: string, ask: Ask): Promise<number> {
  const read = (name: string): Buffer =>
    gunzipSync(readFileSync(join(folder, "../testset", `t10k-${name}-ubyte.gz`)));
  const pixels = read("images-idx3").subarray(16);
  const labels = read("labels-idx1").subarray(8);
  assert.equal(labels.byteLength, 10_000);
  let [next, right] = [0, 0];
  const client = async (): Promise<void> => {
    for (let first = next; first < labels.byteLength; first = next) {
      next = first + TOGETHER;
      const digits = await ask(formOf(pixels, first));
      right += digits.filter((digit, at) => digit === labels[first + at]).length;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return right;
}

function formOf(pixels: Buffer, first: number): FormData {
  const form = new FormData();
  for (let at = first; at < first + TOGETHER; at += 1) {
    const data = new Uint8Array(4 * 784).map((_, byte) =>
      byte % 4 === 3 ? 255 : (pixels[784 * at + Math.floor(byte / 4)] ?? 0),
    );
    const png = Uint8Array.from(encodePng({ width: 28, height: 28, data }));
    form.append("file", new Blob([png]), `${at}.png`);
  }
  return form;
}
