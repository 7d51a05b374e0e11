import assert from "node:assert/strict";
import { test } from "node:test";
import { knownRegistries, ownCatalogue } from "../catalogue/index.ts";
import { parseUaiJob, releaseProblem, uaiRecipeOf, type UaiValues, type UaiWish } from "./index.ts";

const WHOLE: UaiValues = {
  public_key: "xxxxx",
  private_key: "xxxxx",
  main_class: "MnistModel",
  main_module: "mnist_inference",
  model_dir: "checkpoint_dir",
  model_name: "mnist_model",
  pack_file_path: "mnist_keras",
  uhub_username: "xxxxx",
  uhub_password: "xxxxx",
  uhub_registry: "uai_demo",
  uhub_imagename: "keras-inference:test",
};

test("the documents' example has no problem, and the image's name is the documents'", () => {
  const { job, problems } = parseUaiJob("keras", WHOLE);
  assert.deepEqual(problems, []);
  assert.equal(job.image, "uhub.ucloud.cn/uai_demo/keras-inference:test");
});

test("the registry inside the vendor's network, by either name of the flag, for the image and its base", () => {
  for (const flag of ["in_host", "in_uhost"]) {
    const { job } = parseUaiJob("keras", {
      ...WHOLE,
      [flag]: "yes",
      bimg_name: "uhub.ucloud.cn/uaishare/base:v1",
    });
    assert.deepEqual(
      [job.image, job.baseImage],
      [
        "uhub.service.ucloud.cn/uai_demo/keras-inference:test",
        "uhub.service.ucloud.cn/uaishare/base:v1",
      ],
    );
  }
  assert.equal(
    parseUaiJob("self", {
      ...WHOLE,
      in_host: "yes",
      conf_file: "a.conf",
      bimg_name: "uhub.ucloud.cn/uaishare/base:v1",
    }).job.baseImage,
    "uhub.ucloud.cn/uaishare/base:v1",
  );
});

test("a registry of any host", () => {
  assert.equal(
    parseUaiJob("keras", { ...WHOLE, uhub_registry: "localhost:5000/me" }).job.image,
    "localhost:5000/me/keras-inference:test",
  );
});

test("every problem is named at once, each with its flag", () => {
  const { problems } = parseUaiJob("keras", {
    uhub_registry: "Upper",
    uhub_imagename: "no-tag",
    main_module: "a.py",
    main_class: "My Class",
    all_one_file: "TRUE",
    model_dir: "d",
    model_name: "x/y",
    in_host: "maybe",
  });
  const flags = problems.map((problem) => /^--(\w+): /.exec(problem)?.[1]);
  assert.deepEqual(
    flags.toSorted(),
    [
      "all_one_file",
      "in_host",
      "main_class",
      "main_module",
      "model_name",
      "pack_file_path",
      "uhub_imagename",
      "uhub_registry",
    ]
      .filter((name) => name !== "main_module")
      .toSorted(),
  );
});

test("self wants a base and a configuration, mxnet an epoch", () => {
  assert.deepEqual(parseUaiJob("self", WHOLE).problems, [
    "--bimg_name: it is missing",
    "--conf_file: it is missing",
  ]);
  assert.deepEqual(parseUaiJob("mxnet", { ...WHOLE, num_epoch: "ten" }).problems, [
    '--num_epoch: "ten" is no whole number',
  ]);
});

test("a release has to be known and of the framework, and closed ones have an open one in their place", async () => {
  const catalogue = await ownCatalogue();
  const problem = (wish: UaiWish, hasBase = false): string | undefined =>
    releaseProblem(wish, catalogue, { hasBase });
  assert.equal(problem({ framework: "tf" }), undefined);
  assert.equal(problem({ framework: "caffe", release: "caffe-intel 1.0.0" }), undefined);
  assert.match(
    problem({ framework: "tf", release: "keras-2.0.8" }) ?? "",
    /is a release for keras, not for tf/,
  );
  assert.match(
    problem({ framework: "tf", release: "keras-9.9" }, true) ?? "",
    /is a release for keras, not for tf/,
  );
  assert.match(problem({ framework: "tf", release: "tensorflow-9" }) ?? "", /is not known/);
  assert.equal(problem({ framework: "tf", release: "tensorflow-9" }, true), undefined);
  const standIn = uaiRecipeOf({ framework: "tf", release: "tensorflow-1.4.0" }, catalogue);
  assert.deepEqual(
    [standIn.standsInFor, standIn.name, standIn.base],
    ["tensorflow-1.4.0", "tensorflow-2.21.0", "docker.io/library/python:3.12-slim-bookworm"],
  );
  assert.deepEqual(standIn.debian, { suite: "bookworm", python: "3.11" });
  const closed = { rows: catalogue.rows.filter(({ isClosed }) => isClosed) };
  assert.throws(() => uaiRecipeOf({ framework: "tf", release: "tensorflow-1.4.0" }, closed), {
    code: "BASE_UNSUITABLE",
    hint: /account of the vendor that may be uhub\.ucloud\.cn\/uaishare\/cpu_uaiservice_ubuntu-14\.04_python-2\.7\.6_tensorflow-1\.4\.0:v1\.2/,
  });
  assert.ok(uaiRecipeOf({ framework: "keras" }, catalogue).requirements.length > 0);
});

test("every version of the document's table is known, with what the old tool took by itself, and with any system beside a base", async () => {
  const catalogue = await ownCatalogue();
  const rows: Readonly<Partial<Record<UaiWish["framework"], readonly string[]>>> = {
    tf: ["tensorflow-1.1.0", "tensorflow-1.2.0", "tensorflow-1.4.0"],
    caffe: ["caffe-1.0.0", "caffe-intel 1.0.0"],
    keras: ["keras-1.2.0", "keras-2.0.8"],
    mxnet: ["mxnet-0.9.5"],
  };
  for (const [framework, releases] of Object.entries(rows) as readonly [
    UaiWish["framework"],
    readonly string[],
  ][]) {
    for (const release of releases) {
      for (const more of [
        {},
        { os: "ubuntu", python: "python-2.7.6" },
        { os: "ubuntu-14.04.05" },
      ]) {
        const wish = { framework, release, ...more };
        assert.equal(releaseProblem(wish, catalogue), undefined, release);
        assert.equal(uaiRecipeOf(wish, catalogue).standsInFor, release);
      }
    }
  }
});

test("system and Python choose among today's rows, and what the old tool took by itself chooses nothing", async () => {
  const catalogue = await ownCatalogue();
  const base = (wish: UaiWish): string => uaiRecipeOf(wish, catalogue).base;
  assert.equal(
    base({ framework: "tf", python: "python-3.11" }),
    "docker.io/library/python:3.11-slim-bookworm",
  );
  assert.equal(
    base({ framework: "tf", release: "tensorflow-2.19", python: "python-3.12.4", os: "debian-12" }),
    "docker.io/library/python:3.12.4-slim-bookworm",
  );
  assert.equal(
    base({ framework: "tf", os: "ubuntu", python: "python-2.7.6" }),
    base({ framework: "tf" }),
  );
  assert.match(
    releaseProblem(
      { framework: "tf", release: "tensorflow-2.19.0", python: "python-3.7" },
      catalogue,
    ) ?? "",
    /^--python_version: nothing is known for "tensorflow-2\.19\.0" with python-3\.7; write --ai_arch_v=tensorflow-2\.19\.0 --python_version=python-3\.12 --os=debian-12$/,
  );
  assert.match(
    releaseProblem({ framework: "keras", os: "centos-7" }, catalogue) ?? "",
    /^--os: nothing is known for centos-7; write --ai_arch_v=keras-3\.15\.1/,
  );
  assert.throws(() => uaiRecipeOf({ framework: "tf", python: "python-3.7" }, catalogue), {
    code: "BASE_UNSUITABLE",
    message: /the catalogue has nothing for it/,
  });
});

test("registries of the settings: a namespace alone is in the first, and a named host is switched when a side is asked for", () => {
  const registries = knownRegistries("hub.example.com=10.0.0.1:5000");
  const image = (change: UaiValues): string =>
    parseUaiJob("keras", { ...WHOLE, ...change }, registries).job.image;
  assert.equal(image({}), "hub.example.com/uai_demo/keras-inference:test");
  assert.equal(image({ in_host: "yes" }), "10.0.0.1:5000/uai_demo/keras-inference:test");
  assert.equal(
    image({ uhub_registry: "hub.example.com/me", in_uhost: "yes" }),
    "10.0.0.1:5000/me/keras-inference:test",
  );
  assert.equal(
    image({ uhub_registry: "10.0.0.1:5000/me" }),
    "10.0.0.1:5000/me/keras-inference:test",
  );
  assert.equal(
    image({ uhub_registry: "10.0.0.1:5000/me", in_host: "no" }),
    "hub.example.com/me/keras-inference:test",
  );
  assert.equal(
    image({ uhub_registry: "uhub.ucloud.cn/me", in_host: "yes" }),
    "uhub.service.ucloud.cn/me/keras-inference:test",
  );
  assert.equal(
    parseUaiJob("keras", { ...WHOLE, in_host: "yes", bimg_name: "hub.example.com/b:1" }, registries)
      .job.baseImage,
    "10.0.0.1:5000/b:1",
  );
});
