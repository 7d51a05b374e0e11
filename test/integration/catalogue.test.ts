import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { configOf, imageFrom, manifestOf } from "../../src/images/oci/index.ts";
import { nameInStore, putFakeBase } from "../support/fake-base.ts";
import { type PackPlace, packPlace, writeFiles } from "../support/pack-place.ts";

/** One file for both packers: a version of the documents that is closed, and one that nobody else knows. */
const ROWS = `
releases:
  - { framework: keras, name: keras-2.0.8, cpu: { base: "store:mine" } }
  - { framework: pytorch, name: pytorch-99.1, for: [training], os: debian-12, pythons: [python-3.12], cpu: { base: "store:mine" }, gpu: { base: "hub.example.com/{python}:1" } }
`;

const PACKDOCKER = [
  "packdocker",
  "keras",
  "--ai_arch_v",
  "keras-2.0.8",
  "--os",
  "ubuntu",
  "--python_version",
  "python-2.7.6",
  "--pack_file_path",
  "code",
  "--main_module",
  "main",
  "--main_class",
  "Model",
  "--model_dir",
  "weights",
  "--model_name",
  "m",
  "--uhub_imagename",
  "app:v1",
  "--no-push",
] as const;
const TRAIN = [
  "pytorch",
  "pack",
  "--ai_arch_v",
  "pytorch-99",
  "--code_path",
  "code",
  "--mainfile_path",
  "main.py",
  "--uhub_imagename",
  "job",
  "--test_data_path",
  "d",
  "--test_output_path",
  "o",
  "--engine",
  "none",
] as const;
const HOSTS = { SLIPWAY_REGISTRY_HOSTS: "hub.example.com=10.0.0.1:5000" };

async function place(t: TestContext): Promise<PackPlace> {
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "mine");
  await writeFiles(cli.root, {
    "rows.yaml": ROWS,
    "code/main.py": "class Model:\n    pass\n",
    "code/weights/m.h5": "w",
    "code/weights/m.json": "{}",
  });
  return cli;
}

test("packdocker makes its image of a user's row, named by the flag or by the environment", async (t) => {
  const cli = await place(t);
  const words = [...PACKDOCKER, "--uhub_registry", "registry.example.com/me"];
  const base = (await cli.store.resolve(nameInStore("mine"))).digest;
  for (const [flags, env] of [
    [["--catalogue", "rows.yaml"], {}],
    [["--dry-run"], { SLIPWAY_CATALOGUE: join(cli.root, "rows.yaml") }],
  ] as const) {
    Object.assign(cli.env, env);
    const ran = await cli.slipway(...words, ...flags);
    assert.equal(ran.exitCode, 0, ran.stderr);
  }
  const image = imageFrom(
    cli.store,
    await cli.store.resolve({ registry: "registry.example.com", repository: "me/app", tag: "v1" }),
  );
  assert.ok(JSON.stringify(await manifestOf(image)).includes(base), "it says what it stands on");
  assert.ok(
    (await configOf(image)).config?.Env?.includes(
      "UAI_SERVICE_CONFIG=/ai-ucloud-client-django/ufile.json",
    ),
  );
});

test("train pack makes its images of the same file, with the registry's other host inside its network", async (t) => {
  const cli = await place(t);
  Object.assign(cli.env, HOSTS);
  const words = [...TRAIN, "--uhub_registry", "team", "--catalogue", "rows.yaml"];
  const dry = await cli.slipway(...words, "--internal_uhub", "true", "--dry-run");
  assert.equal(dry.exitCode, 0, dry.stderr);
  assert.match(dry.stdout, /^job-cpu:uaitrain +store:mine *$/m);
  assert.match(dry.stdout, /^10\.0\.0\.1:5000\/team\/job:uaitrain +10\.0\.0\.1:5000\/3\.12:1 *$/m);
  const made = await cli.slipway(...words, "--acc_type", "cpu");
  assert.equal(made.exitCode, 0, made.stderr);
  assert.match(await readFile(join(cli.root, "uaitrain_cmd.txt"), "utf8"), /job-cpu:uaitrain/);
});

test("packdocker honours the pairs of registry hosts too", async (t) => {
  const cli = await place(t);
  Object.assign(cli.env, HOSTS);
  const image = async (...flags: readonly string[]): Promise<string> =>
    (
      await cli.slipway(
        ...PACKDOCKER,
        "--catalogue",
        "rows.yaml",
        "--dry-run",
        "--uhub_registry",
        "team",
        ...flags,
      )
    ).stdout.split("\n")[0] ?? "";
  assert.equal(await image(), "would make hub.example.com/team/app:v1");
  assert.equal(await image("--in_uhost", "yes"), "would make 10.0.0.1:5000/team/app:v1");
});

test("a file with a mistake is refused by both with file, row and key, and a setting that is no pair by name", async (t) => {
  const cli = await place(t);
  await writeFiles(cli.root, {
    "bad.yaml": "releases:\n- { framework: keras, name: keras-1, cpu: { image: x } }\n",
  });
  for (const words of [
    [...PACKDOCKER, "--uhub_registry", "me"],
    [...TRAIN, "--uhub_registry", "me"],
  ]) {
    const bad = await cli.slipway(...words, "--catalogue", "bad.yaml");
    assert.match(
      bad.stderr,
      /error PROJECT_INVALID: read "bad\.yaml" line 2, column \d+: row 1 "keras-1": "image" is not a key of "releases\[0\]\.cpu"/,
    );
    assert.equal(bad.exitCode, 3);
    const absent = await cli.slipway(...words, "--catalogue", "absent.yaml");
    assert.match(absent.stderr, /error USAGE: --catalogue "absent\.yaml": it is not a file/);
    cli.env["SLIPWAY_REGISTRY_HOSTS"] = "one.example.com";
    assert.match(
      (await cli.slipway(...words)).stderr,
      /error USAGE: read the pairs of registry hosts: "one\.example\.com"/,
    );
    delete cli.env["SLIPWAY_REGISTRY_HOSTS"];
  }
});
