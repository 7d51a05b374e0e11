import assert from "node:assert/strict";
import { test } from "node:test";
import { commandLines, jobCommands, parseJob, parsePlan, printPlan } from "./index.ts";

const PATHS = { data: "/host/train", output: "/host/export" };
const NAMES = {
  uhub_registry: "registry.example.com/team",
  uhub_imagename: "object-detect-export-model",
  uhub_imagetag: "latest",
  test_data_path: PATHS.data,
  test_output_path: PATHS.output,
};
/** The start command of the documented job. */
const START =
  "/data/object_detection/export_inference_graph.py --input_type image_tensor --pipeline_config_path /data/data/pipeline.config --trained_checkpoint_prefix /data/data/model.ckpt-200000 --output_directory /data/output/";
const PARAMETERS = START.slice(START.indexOf("--"));

test("the exporter needs no code, no main file and no base, and starts as the documented job does", () => {
  const job = parseJob("self", { ...NAMES, train_params: PARAMETERS }, { isExporter: true });
  assert.equal(commandLines(job, PATHS)[0], `CMD Used for deploying: ${START}`);
  const plan = parsePlan(printPlan(job, { paths: PATHS, codePath: undefined, images: {} }), "plan");
  assert.deepEqual(plan.code, {
    mainFile: "object_detection/export_inference_graph.py",
    isExporter: true,
  });
});

test("without parameters the exporter takes the newest checkpoint of the data folder", () => {
  const job = parseJob("self", NAMES, { isExporter: true });
  assert.match(job.trainParams, /--trained_checkpoint_prefix \/data\/data --output_directory/);
});

test("what the exporter has itself is refused by its flag", () => {
  assert.throws(
    () => parseJob("self", { ...NAMES, code_path: "code" }, { isExporter: true }),
    /--exporter needs no --code_path/,
  );
});

test("an image of one's own may have the main file, and then no code is needed", () => {
  const main = "/data/object_detection/export_inference_graph.py";
  const values = { ...NAMES, mainfile_path: main, train_params: PARAMETERS };
  const job = parseJob("self", { ...values, self_img: "registry.example.com/exporter:1" });
  assert.equal(job.codePath, undefined);
  assert.equal(commandLines(job, PATHS)[0], `CMD Used for deploying: ${START}`);
  const module = { ...values, mainfile_path: "-m exporter", self_img: "registry.example.com/e:1" };
  assert.deepEqual(jobCommands(parseJob("self", module), PATHS).deploy.slice(0, 2), [
    "-m",
    "exporter",
  ]);
  assert.throws(
    () => parseJob("self", { ...values, mainfile_path: "train.py", self_img: "e:1" }),
    /--code_path is missing/,
  );
  assert.throws(
    () => parseJob("tf", { ...values, ai_arch_v: "tensorflow-2.19.0" }),
    /--code_path is missing/,
  );
});

test("a main file written as it lies in the container is one of the code folder", () => {
  const values = { ...NAMES, self_img: "e:1", code_path: "./research" };
  const job = parseJob("self", { ...values, mainfile_path: "/data/object_detection/main.py" });
  assert.equal(job.mainFile, "object_detection/main.py");
});

test("the container's folders stay out of the commands of a program that does not know the flags", () => {
  const job = parseJob("self", NAMES, { isExporter: true, hasFolderFlags: false });
  const { cpuProgram, gpuProgram } = jobCommands(job, PATHS);
  assert.equal(cpuProgram.at(-1), "/data/output/");
  assert.equal(gpuProgram.at(-1), "/data/output/");
  assert.match(commandLines(job, PATHS).at(-1) ?? "", /\/data\/output\/"$/);
});
