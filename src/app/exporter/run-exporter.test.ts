import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { unpackCheckpoint } from "../../../test/support/checkpoints.ts";
import { exportCheckpoint } from "../export.ts";
import { runExporter } from "./run-exporter.ts";

interface JobFolders {
  readonly data: string;
  readonly output: string;
  /** Runs the exporter. @returns its exit code and what it printed. */
  run(...argv: readonly string[]): Promise<{ readonly code: number; readonly said: string }>;
}

/** A job's folders, with the checkpoint of an SSD model in the one for data. */
function jobPlace(t: TestContext): JobFolders {
  const folder = mkdtempSync(join(tmpdir(), "slipway-exporter-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [data, output] = [join(folder, "data"), join(folder, "output")];
  unpackCheckpoint("od_ssd_training", data);
  return {
    data,
    output,
    async run(...argv) {
      const lines: string[] = [];
      const code = await runExporter({
        argv,
        cwd: folder,
        print: (text) => void lines.push(text),
        signal: new AbortController().signal,
      });
      return { code, said: lines.join("") };
    },
  };
}

function flagsOf({ data, output }: JobFolders): readonly string[] {
  return [
    "--input_type",
    "image_tensor",
    `--pipeline_config_path=${join(data, "pipeline.config")}`,
    "--trained_checkpoint_prefix",
    join(data, "model.ckpt-200000"),
    "--output_directory",
    `${output}/`,
  ];
}

test("a job's command, with what a platform adds to it, gives the files that the command line gives", async (t) => {
  const place = jobPlace(t);
  const added = ["--num_gpus=1", "--work_dir=/data", "--output_dir=/x", "--write_inference_graph"];
  const { code, said } = await place.run(...flagsOf(place), ...added);
  assert.equal(code, 0, said);
  const output = join(place.data, "../own.pb");
  await exportCheckpoint({ source: place.data, output });
  assert.deepEqual(
    readFileSync(join(place.output, "frozen_inference_graph.pb")),
    readFileSync(output),
  );
  for (const name of ["saved_model/saved_model.pb", "pipeline.config"])
    assert.ok(existsSync(join(place.output, name)), name);
});

test("a flag that is not known, or has no value, is named", async (t) => {
  const place = jobPlace(t);
  for (const [words, why] of [
    [["--nothing", "1"], /there is no flag "--nothing"/],
    [["export.py"], /there is no flag "export\.py"/],
    [["--output_directory"], /--output_directory has no value/],
    [[...flagsOf(place), "--input_type=pixels"], /pixels/],
    [[], /--trained_checkpoint_prefix/],
  ] as const) {
    const { code, said } = await place.run(...words);
    assert.equal(code, 2, said);
    assert.match(said, why);
  }
});

test("a model of another family is refused as a training graph, and the job that can do it is named", async (t) => {
  const place = jobPlace(t);
  writeFileSync(
    join(place.data, "pipeline.config"),
    "model { faster_rcnn { num_classes: 3 image_resizer { keep_aspect_ratio_resizer { min_dimension: 600 max_dimension: 1024 } } } }",
  );
  const { code, said } = await place.run(...flagsOf(place));
  assert.notEqual(code, 0);
  assert.match(said, /training graph/);
  assert.match(said, /export_inference_graph\.py.*slipway train pack/);
  assert.equal(existsSync(join(place.output, "frozen_inference_graph.pb")), false);
});
