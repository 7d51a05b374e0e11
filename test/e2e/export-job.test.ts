import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import { unpackCheckpoint } from "../support/checkpoints.ts";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { debianPlace, engineEnvironment } from "../support/debian-place.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const MAIN = "/data/object_detection/export_inference_graph.py";
/** As the document's job has them. */
const PARAMETERS =
  "--input_type image_tensor --pipeline_config_path /data/data/pipeline.config --trained_checkpoint_prefix /data/data/model.ckpt-200000 --output_directory /data/output/";

test("the exporter's image, and one that has its main file from elsewhere, run as training jobs and export what the command line exports", async (t) => {
  const place = await debianPlace(t, ["python3", "bash", "libgomp1"]);
  const registry = await startDockerRegistry(t);
  if (place === undefined || registry === undefined) return;
  const { done: slipway, root } = place;
  await run([process.execPath, "scripts/build.js"], { cwd: ROOT, timeoutMs: 300_000 });
  unpackCheckpoint("od_ssd_training", join(root, "train"));
  const own = join(root, "own.pb");
  await slipway(["export", "tf-checkpoint", "train", "-o", own]);

  const pack = (name: string, ...words: readonly string[]): Promise<unknown> =>
    slipway([
      ...["self", "pack", "--uhub_registry", `${registry.host}/team`, "--uhub_imagename", name],
      ...["--uhub_imagetag", "latest", "--train_params", PARAMETERS],
      ...["--test_data_path", "train", "--test_output_path", "unused", ...words],
    ]);
  await pack("exporter", "--exporter", "--self_img", "store:pybase");
  const base = `${registry.host}/team/exporter:latest`;

  const manifest = await slipway(["train", "manifest", "--data", "pvc:in", "--output", "pvc:out"]);
  assert.match(manifest.stdout, new RegExp(`image: ${base.replace(":latest", "")}@sha256:`));
  assert.ok(manifest.stdout.includes(MAIN) && manifest.stdout.includes("model.ckpt-200000"));
  assert.doesNotMatch(manifest.stderr, /--gpus/, "an exporter wants no graphics cards");

  for (const engine of ["docker", "podman"] as const)
    await t.test(`with ${engine}`, async (inner) => {
      const env = await engineEnvironment(inner, engine, place);
      if (env === undefined) return;
      // The first image for one engine; for the other one made of it, with nothing of the user's own in it.
      if (engine === "podman")
        await pack("retagged", "--self_img", base, "--mainfile_path", MAIN, "--no-folder-flags");
      const output = `export-${engine}`;
      const { stdout } = await slipway(
        ["train", "run", "--engine", engine, "--output", output],
        env,
      );
      assert.match(stdout, /exit code 0[^]*frozen_inference_graph\.pb/);
      const files = ["frozen_inference_graph.pb", "saved_model/saved_model.pb", "pipeline.config"];
      const [made, saved, config] = await Promise.all(
        files.map((name) => readFile(join(root, output, name))),
      );
      assert.deepEqual(made, await readFile(own), "the same graph as the command line's");
      assert.ok((saved?.byteLength ?? 0) > (made?.byteLength ?? 0));
      assert.deepEqual(config, await readFile(join(root, "train/pipeline.config")));
    });
});
