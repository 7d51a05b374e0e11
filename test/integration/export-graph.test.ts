import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { gunzipSync } from "node:zlib";
import { exportCheckpoint, exportSavedModel } from "../../src/app/export.ts";
import { run } from "../../src/ground/process/index.ts";
import { parseReplacement } from "../../src/models/export/index.ts";
import {
  checkpointVariants,
  CHECKPOINTS,
  flagOf,
  inputWords,
  unpackCheckpoint,
  type CheckpointVariant,
} from "../support/checkpoints.ts";
import { KERAS, mnistData } from "../support/mnist.ts";
import { pythonEnv } from "../support/python-env.ts";

/** TensorFlow's own arithmetic may differ in the last bits between releases; the API's answer is held to what its users see. */
const TOLERANCE = 1e-4;

interface Job {
  readonly graph: string;
  readonly runs: CheckpointVariant["runs"];
  readonly tolerance: number | null;
}

async function differences(t: TestContext, script: string, input: unknown): Promise<unknown> {
  // The environment that serves Keras models has TensorFlow.
  const python = await pythonEnv(t, { packages: KERAS.packages });
  if (python === undefined) return undefined;
  const { stdout } = await run([python.python, join(import.meta.dirname, "../support", script)], {
    stdin: JSON.stringify(input),
    timeoutMs: 300_000,
  });
  return JSON.parse(stdout.toString().trim().split("\n").at(-1) ?? "");
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "slipway-frozen-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What the Object Detection API's exporter makes of the carried SSD checkpoint by a changed `pipeline.config`. */
interface ChangedPipeline {
  readonly changes: readonly (readonly [from: string, to: string])[];
  readonly expected: NonNullable<Job["runs"]>[number]["expected"];
}

const PIPELINES: Readonly<Record<string, ChangedPipeline>> = JSON.parse(
  readFileSync(join(import.meta.dirname, "../fixtures/detection/postprocessing.json"), "utf8"),
);

/** Exports by each changed pipeline; the picture is that of the checkpoint's own case. */
async function changedPipelines(folder: string): Promise<readonly Job[]> {
  const source = join(folder, "od_ssd_training");
  const config = readFileSync(join(source, "pipeline.config"), "utf8");
  const feeds = checkpointVariants(source)[0]?.runs?.[0]?.feeds ?? {};
  const jobs: Job[] = [];
  for (const [name, { changes, expected }] of Object.entries(PIPELINES)) {
    const pipelineConfig = join(folder, `${name}.config`);
    const graph = join(folder, `${name}.pb`);
    for (const [from] of changes) assert.ok(config.includes(from), `${name}: ${from}`);
    writeFileSync(
      pipelineConfig,
      changes.reduce((text, [from, to]) => text.replace(from, to), config),
    );
    await exportCheckpoint({ source, output: graph, pipelineConfig });
    jobs.push({ graph, runs: [{ feeds, expected }], tolerance: TOLERANCE });
  }
  return jobs;
}

test("TensorFlow runs the frozen graphs, and they answer as the sessions did", async (t) => {
  const folder = temporaryFolder(t);
  const jobs: Job[] = [];
  for (const name of CHECKPOINTS) {
    const source = join(folder, name);
    unpackCheckpoint(name, source);
    for (const variant of checkpointVariants(source)) {
      if (variant.expect === "refused") continue;
      const graph = join(folder, `${name}.${variant.id}.pb`);
      await exportCheckpoint({
        source,
        output: graph,
        outputs: flagOf(variant, "--outputs")?.split(","),
        inputs: inputWords(variant).map(parseReplacement),
      });
      const isExact = !name.startsWith("od_ssd_");
      jobs.push({ graph, runs: variant.runs, tolerance: isExact ? null : TOLERANCE });
    }
  }
  jobs.push(...(await changedPipelines(folder)));
  assert.ok(jobs.length >= 24, String(jobs.length));
  const found = await differences(t, "frozen-graph.py", jobs);
  if (found !== undefined) assert.deepEqual(found, []);
});

test("a model of handwritten digits keeps what it knows", async (t) => {
  const source = mnistData(t, "tf-checkpoint-v2");
  const testset = mnistData(t, "testset");
  if (source === undefined || testset === undefined) return;
  const graph = join(temporaryFolder(t), "mnist.pb");
  await exportCheckpoint({ source, output: graph, outputs: ["add"] });
  const images = gunzipSync(readFileSync(join(testset, "t10k-images-idx3-ubyte.gz"))).subarray(16);
  const labels = gunzipSync(readFileSync(join(testset, "t10k-labels-idx1-ubyte.gz"))).subarray(8);
  const pixels = Float32Array.from(images, (value) => value * (1 / 255));
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
  const correct = await differences(t, "count-correct.py", {
    graph,
    input: "Placeholder:0",
    output: "add:0",
    shape: [labels.byteLength, 784],
    pixels: base64(new Uint8Array(pixels.buffer)),
    labels: base64(labels),
  });
  if (correct !== undefined) assert.equal(correct, 9188);
});

test("a SavedModel of TensorFlow 2, with its variables in functions, is frozen", async (t) => {
  const folder = temporaryFolder(t);
  const made = await differences(t, "make-saved-model.py", { folder: join(folder, "model") });
  if (made === undefined) return;
  const graph = join(folder, "frozen.pb");
  const { runs } = made as { readonly runs: CheckpointVariant["runs"] };
  const result = await exportSavedModel({ source: join(folder, "model"), output: graph });
  assert.ok(result.functions > 0);
  assert.deepEqual(await differences(t, "frozen-graph.py", [{ graph, runs, tolerance: 1e-6 }]), []);
});
