import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUaiJob, releaseProblem, uaiRecipeOf, type UaiValues } from "./index.ts";

const WHOLE: UaiValues = {
  public_key: "xxxxx", private_key: "xxxxx", main_class: "MnistModel", main_module: "mnist_inference", model_dir: "checkpoint_dir", model_name: "mnist_model", pack_file_path: "mnist_keras",
  uhub_username: "xxxxx", uhub_password: "xxxxx", uhub_registry: "uai_demo", uhub_imagename: "keras-inference:test",
};

test("the documents' example has no problem, and the image's name is the documents'", () => {
  const { job, problems } = parseUaiJob("keras", WHOLE);
  assert.deepEqual(problems, []);
  assert.equal(job.image, "uhub.ucloud.cn/uai_demo/keras-inference:test");
});

test("the registry inside the vendor's network, by either name of the flag, for the image and its base", () => {
  for (const flag of ["in_host", "in_uhost"]) {
    const { job } = parseUaiJob("keras", { ...WHOLE, [flag]: "yes", bimg_name: "uhub.ucloud.cn/uaishare/base:v1" });
    assert.deepEqual([job.image, job.baseImage], ["uhub.service.ucloud.cn/uai_demo/keras-inference:test", "uhub.service.ucloud.cn/uaishare/base:v1"]);
  }
  assert.equal(parseUaiJob("self", { ...WHOLE, in_host: "yes", conf_file: "a.conf", bimg_name: "uhub.ucloud.cn/uaishare/base:v1" }).job.baseImage, "uhub.ucloud.cn/uaishare/base:v1");
});

test("a registry of any host", () => {
  assert.equal(parseUaiJob("keras", { ...WHOLE, uhub_registry: "localhost:5000/me" }).job.image, "localhost:5000/me/keras-inference:test");
});

test("every problem is named at once, each with its flag", () => {
  const { problems } = parseUaiJob("keras", { uhub_registry: "Upper", uhub_imagename: "no-tag", main_module: "a.py", main_class: "My Class", all_one_file: "TRUE", model_dir: "d", model_name: "x/y", in_host: "maybe" });
  const flags = problems.map((problem) => /^--(\w+): /.exec(problem)?.[1]);
  assert.deepEqual(flags.toSorted(), ["all_one_file", "in_host", "main_class", "main_module", "model_name", "pack_file_path", "uhub_imagename", "uhub_registry"].filter((name) => name !== "main_module").toSorted());
});

test("self wants a base and a configuration, mxnet an epoch", () => {
  assert.deepEqual(parseUaiJob("self", WHOLE).problems, ["--bimg_name: it is missing", "--conf_file: it is missing"]);
  assert.deepEqual(parseUaiJob("mxnet", { ...WHOLE, num_epoch: "ten" }).problems, ['--num_epoch: "ten" is no whole number']);
});

test("a release has to be known and of the framework, and closed ones cannot be made", () => {
  assert.equal(releaseProblem("tf", undefined), undefined);
  assert.equal(releaseProblem("caffe", "caffe-intel 1.0.0"), undefined);
  assert.match(releaseProblem("tf", "keras-2.0.8") ?? "", /is a release for keras, not for tf/);
  assert.match(releaseProblem("tf", "tensorflow-9") ?? "", /is not known/);
  assert.throws(() => uaiRecipeOf("tf", "tensorflow-1.4.0"), { code: "BASE_UNSUITABLE" });
  assert.ok(uaiRecipeOf("keras", undefined).requirements.length > 0);
});
