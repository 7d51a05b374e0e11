import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { exportCheckpoint } from "../../src/app/export.ts";
import type { ModelDescription } from "../../src/models/description/index.ts";
import { createImageDecoder, encodePng } from "../../src/models/inputs/index.ts";
import { drawDetections, type Detection } from "../../src/models/answers/index.ts";
import { detectModel } from "../../src/models/kinds/index.ts";
import { createLogger, serveModel, type RunningServer } from "../../src/serving/server/index.ts";
import { unpackCheckpoint } from "../support/checkpoints.ts";
import { modelFilesIn } from "../support/kinds/model-folder.ts";
import { KERAS } from "../support/mnist.ts";
import { pythonEnv } from "../support/python-env.ts";

/** Names by id; `display_name` goes before `name`. */
const LABEL_MAP = `item {
  id: 1
  name: "/m/0bt9lr"
  display_name: "dog"
}
item { id: 2 name: 'cat' }
item { id: 3 name: 'horse' }
`;
type Body = NonNullable<RequestInit["body"]>;

const NAMES = ["", "dog", "cat", "horse"];
const TOLERANCE = 1e-4;

interface Answer {
  readonly detections: readonly (readonly Detection[])[];
  readonly images: readonly object[];
}

interface StoredArray {
  readonly shape: readonly number[];
  readonly b64: string;
}

/** What the object detection API's own graph answered to a picture. */
interface KnownAnswer {
  readonly feeds: { readonly "image_tensor:0": StoredArray };
  readonly expected: Readonly<Record<string, StoredArray>>;
}

/** A folder as the old tools' users have it: the frozen graph of a training checkpoint, and the label map beside it. */
async function makeFolder(
  t: TestContext,
  inputType?: "encoded_image_string_tensor",
): Promise<{ readonly folder: string; readonly known: KnownAnswer }> {
  const parent = await mkdtemp(join(tmpdir(), "slipway-detect-"));
  t.after(() => rm(parent, { recursive: true, force: true }));
  const source = join(parent, "train");
  const folder = join(parent, "checkpoint_dir");
  unpackCheckpoint("od_ssd_training", source);
  await mkdir(folder);
  await exportCheckpoint({
    source,
    output: join(folder, "frozen_inference_graph.pb"),
    ...(inputType !== undefined && { inputType }),
  });
  await writeFile(join(folder, "label_map.pbtxt"), LABEL_MAP);
  const { variants } = JSON.parse(readFileSync(join(source, "case.json"), "utf8")) as {
    readonly variants: readonly { readonly runs: readonly KnownAnswer[] }[];
  };
  const known = variants[0]?.runs[0];
  assert.ok(known !== undefined);
  return { folder, known };
}

/** Describes a folder by its files. */
async function describe(name: string, folder: string, python: string): Promise<ModelDescription> {
  const found = await detectModel({ folder, files: modelFilesIn(folder) });
  assert.equal(found.chosen.kind, "tf-frozen-graph");
  assert.equal(found.details["task"], "detection");
  return {
    ...{ schemaVersion: 1, name, kind: "tf-frozen-graph", contract: "model-server" },
    ...{ service: "MODEL", ports: { http: 0 }, server: {}, codePath: folder },
    modelPath: join(folder, found.chosen.modelPath ?? ""),
    ...(found.signature !== undefined && { signature: found.signature }),
    ...(found.labels !== undefined && { labels: found.labels }),
    python: { executable: python, path: [] },
  };
}

function pictureOf({ feeds }: KnownAnswer): Uint8Array<ArrayBuffer> {
  const { shape, b64 } = feeds["image_tensor:0"];
  const [, height = 0, width = 0] = shape;
  const rgb = Buffer.from(b64, "base64");
  const data = new Uint8Array(4 * width * height).map((_, at) =>
    at % 4 === 3 ? 255 : (rgb[Math.floor(at / 4) * 3 + (at % 4)] ?? 0),
  );
  return Uint8Array.from(encodePng({ width, height, data }));
}

function floatsOf({ expected }: KnownAnswer, name: string): readonly number[] {
  const bytes = Uint8Array.from(Buffer.from(expected[`${name}:0`]?.b64 ?? "", "base64"));
  return [...new Float32Array(bytes.buffer)];
}

async function ask(server: RunningServer, path: string, body: Body): Promise<Answer> {
  const url = `http://127.0.0.1:${server.ports.http}${path}`;
  const response = await fetch(url, { method: "POST", body });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text) as Answer;
}

test("frozen detection graphs answer an uploaded picture with boxes, and with names of the label map, as the API does", async (t) => {
  const python = await pythonEnv(t, { packages: KERAS.packages });
  if (python === undefined) return;
  const { folder, known } = await makeFolder(t);
  const encoded = await makeFolder(t, "encoded_image_string_tensor");
  const description = await describe("pets", folder, python.python);
  await using server = await serveModel(description, {
    host: "127.0.0.1",
    others: {
      models: [
        {
          name: "encoded",
          version: "1",
          describe: async () => describe("encoded", encoded.folder, python.python),
        },
      ],
    },
    log: createLogger({ level: "fatal", write: () => undefined }),
  });
  const picture = pictureOf(known);
  const { detections, images } = await ask(server, "/predict?threshold=0.97", picture);
  assert.deepEqual(images, [{ width: 56, height: 48 }]);
  const [found = []] = detections;
  const scores = floatsOf(known, "detection_scores");
  assert.equal(found.length, scores.filter((score) => score >= 0.97).length);
  assert.ok(found.length > 1);
  found.forEach(({ class: number, label, score, box }, at) => {
    assert.equal(number, floatsOf(known, "detection_classes")[at]);
    assert.equal(label, NAMES[number]);
    assert.ok(Math.abs(score - (scores[at] ?? 0)) < TOLERANCE);
    box.forEach((edge, side) =>
      assert.ok(
        Math.abs(edge - (floatsOf(known, "detection_boxes")[4 * at + side] ?? 0)) < TOLERANCE,
      ),
    );
  });
  const all = await ask(server, "/predict?threshold=0&outputs=none", picture);
  assert.equal(all.detections[0]?.length, floatsOf(known, "num_detections")[0]);
  const pixels = await createImageDecoder().decode(picture);
  const drawn = await createImageDecoder().decode(encodePng(drawDetections(pixels, found)));
  assert.notDeepEqual(drawn.data, pixels.data);
  const byFile = await ask(server, "/predict/encoded?threshold=0.97", picture);
  assert.deepEqual(byFile.images, images);
  assert.equal(byFile.detections[0]?.length, found.length, "the graph decodes the picture itself");
});
