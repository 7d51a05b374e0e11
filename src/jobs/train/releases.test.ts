import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseRow, knownRegistries, ownCatalogue, type CatalogueRow } from "../catalogue/index.ts";
import {
  checkGpu,
  combinationOf,
  findDataFolders,
  findRelease,
  isOpen,
  parseJob,
  placeBelow,
  recipeOf,
  type TrainJob,
} from "./index.ts";

const CATALOGUE = await ownCatalogue();
const find = (
  job: Partial<TrainJob> & Pick<TrainJob, "framework">,
  hasBase = false,
): CatalogueRow | undefined => findRelease(job, CATALOGUE, { hasBase });

test("the documents' combinations are known as the documents write them", () => {
  assert.equal(
    combinationOf(
      find({
        framework: "pytorch",
        release: "pytorch-0.4",
        python: "python-3.6.2",
        os: "ubuntu-16.04",
      }) ?? assert.fail(),
    ),
    "--ai_arch_v=pytorch-0.4 --python_version=python-3.6.2 --os=ubuntu-16.04",
  );
  assert.equal(
    combinationOf(find({ framework: "pytorch", release: "pytorch-0.2.0" }) ?? assert.fail()),
    "--ai_arch_v=pytorch-0.2.0",
  );
  assert.throws(() => find({ framework: "pytorch", release: "pytorch-0.4" }), {
    code: "USAGE",
    message: /ubuntu-14\.04\.05 and python-2\.7\.6/,
  });
  assert.equal(find({ framework: "pytorch", release: "pytorch-0.4" }, true)?.isClosed, true);
});

test("a version of another framework is refused, and an unknown one with what there is", () => {
  assert.throws(() => find({ framework: "tf", release: "keras-2.0.8" }), {
    code: "USAGE",
    message: /it is for keras, and this is pack for tf/,
    hint: /tensorflow-2\.21\.0/,
  });
  assert.throws(() => find({ framework: "pytorch", release: "pytorch-9.9" }), {
    code: "USAGE",
    hint: /pytorch-2\.11\.0/,
  });
  assert.equal(find({ framework: "pytorch", release: "pytorch-9.9" }, true), undefined);
  assert.throws(() => find({ framework: "pytorch", release: "tensorflow-9.9" }, true), {
    code: "USAGE",
  });
  assert.equal(find({ framework: "caffe", release: "caffe-intel 1.0.0" }, true), undefined);
  assert.equal(find({ framework: "pytorch", release: "pytorch-2.6" })?.name, "pytorch-2.6.0");
});

test("today's rows have a recipe for both images; the vendor's have none and say so", () => {
  const rows = CATALOGUE.rows.filter(({ purposes }) => purposes.includes("training"));
  assert.ok(rows.filter(isOpen).length > 10 && rows.filter(({ isClosed }) => isClosed).length > 10);
  for (const row of rows) {
    if (isOpen(row)) {
      for (const accelerator of ["cpu", "gpu"] as const)
        assert.ok(recipeOf(row, accelerator, CATALOGUE).requirements.length > 0, row.name);
      assert.notEqual(row.cuda, undefined, row.name);
    } else assert.throws(() => recipeOf(row, "cpu", CATALOGUE), { code: "BASE_UNSUITABLE" });
  }
});

test("the flag of the Python chooses the base's", () => {
  const row =
    find({
      framework: "pytorch",
      release: "pytorch-2.6",
      python: "python-3.11",
      os: "debian-12",
    }) ?? assert.fail();
  assert.equal(recipeOf(row, "gpu", CATALOGUE).base, "docker.io/library/python:3.11-slim-bookworm");
  assert.throws(
    () => find({ framework: "pytorch", release: "pytorch-2.6.0", python: "python-2.7.6" }),
    { code: "USAGE", message: /any system and python-2\.7\.6/ },
  );
});

test("a row without the wanted processor says what to add", () => {
  const [row = assert.fail()] = CATALOGUE.rows.filter(
    ({ framework, isClosed }) => framework === "pytorch" && !isClosed,
  );
  const { cpu = assert.fail() } = row.recipes;
  assert.throws(() => recipeOf({ ...row, recipes: { cpu } }, "gpu", CATALOGUE), {
    code: "BASE_UNSUITABLE",
    hint: /add "gpu" to the row/,
  });
});

test("a version that only the other packer has a row for is not known to this one", () => {
  assert.equal(
    chooseRow(CATALOGUE, { framework: "caffe", purpose: "inference", name: "caffe-opencv" }).kind,
    "found",
  );
  assert.throws(() => find({ framework: "caffe", release: "caffe-opencv" }), {
    code: "USAGE",
    message: /is not known/,
  });
});

test("registries of the settings: a namespace alone is in the first, and hosts are switched as the flag says", () => {
  const registries = knownRegistries("hub.example.com=10.0.0.1:5000");
  const values = {
    code_path: "code",
    mainfile_path: "a.py",
    uhub_registry: "team",
    uhub_imagename: "job",
    test_data_path: "d",
    test_output_path: "o",
    bimg_name: "hub.example.com/b:1",
  };
  const parsed = parseJob("pytorch", { ...values, internal_uhub: "true" }, { registries });
  assert.deepEqual(
    [parsed.names.gpu, parsed.ownImage],
    ["10.0.0.1:5000/team/job:uaitrain", "10.0.0.1:5000/b:1"],
  );
  assert.equal(
    parseJob("pytorch", values, { registries }).names.gpu,
    "hub.example.com/team/job:uaitrain",
  );
  assert.equal(
    parseJob(
      "self",
      { ...values, bimg_name: undefined, self_img: "hub.example.com/b:1", internal_uhub: "true" },
      { registries },
    ).ownImage,
    "hub.example.com/b:1",
  );
});

test("torch's wheels for cards stand on a plain Python, since they carry CUDA", () => {
  const release = find({ framework: "pytorch", release: "pytorch-2.6.0" }) ?? assert.fail();
  assert.equal(recipeOf(release, "gpu", CATALOGUE).base, recipeOf(release, "cpu", CATALOGUE).base);
  assert.deepEqual(recipeOf(release, "gpu", CATALOGUE).requirements, ["torch==2.6.0", "numpy"]);
});

test("a card or a driver that cannot do it is refused with what is missing", () => {
  const release = find({ framework: "pytorch", release: "pytorch-2.6.0" }) ?? assert.fail();
  for (const card of ["V100", "Tesla T4", "sm_86", "9.0", "NVIDIA H100", "RTX 4090"])
    assert.match(
      checkGpu(release, { card, driver: "535.104.05" }).join(),
      /CUDA 12\.4: driver 525\.60\.13/,
    );
  assert.throws(() => checkGpu(release, { driver: "470.82.01" }), {
    code: "BASE_UNSUITABLE",
    message: /needs driver 525\.60\.13/,
  });
  assert.throws(() => checkGpu(release, { card: "B200" }), {
    code: "BASE_UNSUITABLE",
    hint: /newer/,
  });
  const newest = find({ framework: "pytorch", release: "pytorch-2.11.0" }) ?? assert.fail();
  assert.throws(() => checkGpu(newest, { card: "P40" }), {
    code: "BASE_UNSUITABLE",
    hint: /older/,
  });
  assert.throws(() => checkGpu(newest, { card: "Voodoo" }), { code: "USAGE" });
});

test("folders of data are told from folders of code", () => {
  const mebibyte = 2 ** 20;
  const files = [
    { path: "train.py", size: 100 },
    { path: "images/1.png", size: mebibyte },
    { path: "images/2.png", size: mebibyte },
    { path: "blobs/x", size: 70 * mebibyte },
    { path: "models/net.py", size: 70 * mebibyte },
    { path: "data/loader.py", size: 500 },
    { path: "raw/small.txt", size: 10 },
    { path: "big.bin", size: 90 * mebibyte },
  ];
  assert.deepEqual(findDataFolders(files), [
    { path: "images", files: 2, bytes: 2 * mebibyte },
    { path: "blobs", files: 1, bytes: 70 * mebibyte },
  ]);
});

test("a folder below the code folder is known by its way there", () => {
  assert.equal(placeBelow("./code/", "code/sub/data/", "/w"), "sub/data");
  assert.equal(placeBelow("code", "/w/data", "/w"), undefined);
  assert.equal(placeBelow("code", "code", "/w"), undefined);
});
