import assert from "node:assert/strict";
import { test } from "node:test";
import { checkGpu, combinationOf, findDataFolders, findRelease, placeBelow, recipeOf, RELEASES, type TrainJob } from "./index.ts";

const find = (job: Partial<TrainJob> & Pick<TrainJob, "framework">, hasBase = false): ReturnType<typeof findRelease> => findRelease(job, { hasBase });

test("the documents' combinations are known as the documents write them", () => {
  assert.equal(combinationOf(find({ framework: "pytorch", release: "pytorch-0.4", python: "python-3.6.2", os: "ubuntu-16.04" }) ?? assert.fail()), "--ai_arch_v=pytorch-0.4 --python_version=python-3.6.2 --os=ubuntu-16.04");
  assert.equal(combinationOf(find({ framework: "pytorch", release: "pytorch-0.2.0" }) ?? assert.fail()), "--ai_arch_v=pytorch-0.2.0");
  assert.throws(() => find({ framework: "pytorch", release: "pytorch-0.4" }), { code: "USAGE", message: /ubuntu-14\.04\.05 and python-2\.7\.6/ });
  assert.equal(find({ framework: "pytorch", release: "pytorch-0.4" }, true)?.era, "vendor");
});

test("a version of another framework is refused, and an unknown one with what there is", () => {
  assert.throws(() => find({ framework: "tf", release: "keras-2.0.8" }), { code: "USAGE", message: /tensorflow-VERSION/ });
  assert.throws(() => find({ framework: "pytorch", release: "pytorch-9.9" }), { code: "USAGE", hint: /pytorch-2\.11\.0/ });
  assert.equal(find({ framework: "pytorch", release: "pytorch-9.9" }, true), undefined);
  assert.equal(find({ framework: "caffe", release: "caffe-intel 1.0.0" }, true), undefined);
  assert.equal(find({ framework: "pytorch", release: "pytorch-2.6" })?.name, "pytorch-2.6.0");
});

test("today's releases have a recipe for both images; the vendor's have none and say so", () => {
  for (const release of RELEASES) {
    if (release.era === "today") {
      for (const accelerator of ["cpu", "gpu"] as const) assert.ok(recipeOf(release, accelerator).requirements.length > 0, release.name);
      assert.notEqual(release.cuda, undefined, release.name);
    } else assert.throws(() => recipeOf(release, "cpu"), { code: "BASE_UNSUITABLE" });
  }
  assert.equal(new Set(RELEASES.map(({ name }) => name)).size, RELEASES.length);
});

test("torch's wheels for cards stand on a plain Python, since they carry CUDA", () => {
  const release = find({ framework: "pytorch", release: "pytorch-2.6.0" }) ?? assert.fail();
  assert.equal(recipeOf(release, "gpu").base, recipeOf(release, "cpu").base);
  assert.deepEqual(recipeOf(release, "gpu").requirements, ["torch==2.6.0", "numpy"]);
});

test("a card or a driver that cannot do it is refused with what is missing", () => {
  const release = find({ framework: "pytorch", release: "pytorch-2.6.0" }) ?? assert.fail();
  for (const card of ["V100", "Tesla T4", "sm_86", "9.0", "NVIDIA H100", "RTX 4090"]) assert.match(checkGpu(release, { card, driver: "535.104.05" }).join(), /CUDA 12\.4: driver 525\.60\.13/);
  assert.throws(() => checkGpu(release, { driver: "470.82.01" }), { code: "BASE_UNSUITABLE", message: /needs driver 525\.60\.13/ });
  assert.throws(() => checkGpu(release, { card: "B200" }), { code: "BASE_UNSUITABLE", hint: /newer/ });
  const newest = find({ framework: "pytorch", release: "pytorch-2.11.0" }) ?? assert.fail();
  assert.throws(() => checkGpu(newest, { card: "P40" }), { code: "BASE_UNSUITABLE", hint: /older/ });
  assert.throws(() => checkGpu(newest, { card: "Voodoo" }), { code: "USAGE" });
});

test("folders of data are told from folders of code", () => {
  const mebibyte = 2 ** 20;
  const files = [
    { path: "train.py", size: 100 }, { path: "images/1.png", size: mebibyte }, { path: "images/2.png", size: mebibyte }, { path: "blobs/x", size: 70 * mebibyte },
    { path: "models/net.py", size: 70 * mebibyte }, { path: "data/loader.py", size: 500 }, { path: "raw/small.txt", size: 10 }, { path: "big.bin", size: 90 * mebibyte },
  ];
  assert.deepEqual(findDataFolders(files), [{ path: "images", files: 2, bytes: 2 * mebibyte }, { path: "blobs", files: 1, bytes: 70 * mebibyte }]);
});

test("a folder below the code folder is known by its way there", () => {
  assert.equal(placeBelow("./code/", "code/sub/data/", "/w"), "sub/data");
  assert.equal(placeBelow("code", "/w/data", "/w"), undefined);
  assert.equal(placeBelow("code", "code", "/w"), undefined);
});
