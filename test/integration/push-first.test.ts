import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { putFakeBase } from "../support/fake-base.ts";
import { inProcess, packTraining } from "../support/in-process.ts";
import { packPlace, writeFiles } from "../support/pack-place.ts";
import { startFaultRegistry } from "../support/fault-registry.ts";
import { createStore } from "../../src/images/store/index.ts";
import { putSmallImage } from "../support/small-image.ts";

const ACCOUNT = { username: "mia", password: "s3cret" };
const CODE = "class Model:\n    def predict(self, X, names=None):\n        return X\n";
const CONF = '{"http_server": {"exec": {"main_file": "Model", "main_class": "Model"}}}\n';

test("a registry that refuses the push is asked before anything is made", async (t) => {
  const registry = await startFaultRegistry(t, { auth: { kind: "basic", ...ACCOUNT } });
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "base");
  await writeFiles(join(cli.root, "model"), { "Model.py": CODE, "my.conf": CONF });
  const name = `${registry.host}/me/model:1`;
  for (const words of [
    ["pack", "model", "--base", "store:base", "-t", name, "--push"],
    [
      ...["packdocker", "self", "--pack_file_path", "model", "--conf_file", "my.conf"],
      ...["--bimg_name", "store:base", "--uhub_registry", `${registry.host}/me`],
      ...["--uhub_imagename", "model:1", "--uhub_username", "mia", "--uhub_password", "wrong"],
    ],
  ]) {
    const { exitCode, stderr } = await cli.slipway(...words);
    assert.equal(exitCode, 5, stderr);
    assert.match(stderr, /^error REGISTRY_UNAUTHORIZED/m);
    assert.doesNotMatch(stderr, /pushing|reading/);
  }
  assert.deepEqual([...registry.seen("PATCH"), ...registry.seen("PUT")], []);
});

test("what is asked first leaves no upload open", async (t) => {
  const registry = await startFaultRegistry(t);
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "base");
  await writeFiles(join(cli.root, "model"), { "Model.py": CODE });
  const name = `${registry.host}/me/model:1`;
  const ran = await cli.slipway("pack", "model", "--base", "store:base", "-t", name, "--push");
  assert.equal(ran.exitCode, 0, ran.stderr);
  assert.equal(registry.sessions.size, 0);
  assert.ok(registry.manifests.has("me/model:1"));
});

test("half an account is refused with exit code 2, and the missing half is named", async (t) => {
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "base");
  await writeFiles(join(cli.root, "model"), { "Model.py": CODE, "my.conf": CONF });
  for (const [half, missing] of [
    [["--uhub_password", "s3cret"], /--uhub_username is missing/],
    [["--uhub_username", "mia"], /its password is missing/],
  ] as const) {
    const { exitCode, stderr } = await cli.slipway(
      ...["packdocker", "self", "--pack_file_path", "model", "--conf_file", "my.conf"],
      ...["--bimg_name", "store:base", "--uhub_registry", "registry.test/me"],
      ...["--uhub_imagename", "model:1", ...half],
    );
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, missing);
    assert.ok(!stderr.includes("s3cret"));
  }
});

test("the commands of training images are written for what was made before a push failed", async (t) => {
  const registry = await startFaultRegistry(t);
  registry.fault({
    method: "PUT",
    path: "/manifests/",
    times: 99,
    action: { kind: "answer", status: 403 },
  });
  const place = inProcess(await packPlace(t, { isBare: true }));
  const { data, cache } = place.cli.session.directories;
  await using store = createStore({ dataDir: data, cacheDir: cache });
  const base = await putSmallImage(store, {
    compress: false,
    layers: [{ "usr/local/bin/python3.11": "python", "etc/os-release": "ID=test" }],
  });
  await store.tag(base, { registry: "store", repository: "base", tag: "latest" });
  await place.write({ "code/train.py": "print('hello')\n" });
  const flags = {
    code_path: "./code/",
    mainfile_path: "train.py",
    uhub_registry: `${registry.host}/team`,
    uhub_imagename: "job",
    test_data_path: "data",
    test_output_path: "/tmp/output",
    bimg_name: "store:base",
    acc_type: "gpu",
    engine: "none",
  } as const;
  await assert.rejects(packTraining("pytorch", flags, place.cli));
  assert.match(await readFile(join(place.root, "uaitrain_cmd.txt"), "utf8"), /CPU local test/);
  const plan = JSON.parse(await readFile(join(place.root, "slipway-train.json"), "utf8")) as {
    readonly images: Readonly<Record<string, unknown>>;
  };
  assert.deepEqual(Object.keys(plan.images), ["cpu"]);
});

test("a class file may be named by its absolute path", async (t) => {
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "base");
  const folder = join(cli.root, "model");
  await writeFiles(folder, { "Model.py": CODE });
  const { exitCode, stderr } = await cli.slipway(
    ...["pack", "model", "--base", "store:base", "--code", `${folder}/Model.py:Model`, "--dry-run"],
  );
  assert.equal(exitCode, 0, stderr);
});
