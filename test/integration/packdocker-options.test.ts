import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { openArchive, openLayout } from "../../src/images/layout/index.ts";
import { parseReference } from "../../src/images/oci/index.ts";
import { putFakeBase } from "../support/fake-base.ts";
import {
  type PackPlace,
  packPlace,
  type Ran,
  untilEnd,
  writeFiles,
} from "../support/pack-place.ts";
import { startFaultRegistry, type FaultRegistry } from "../support/fault-registry.ts";

const ACCOUNT = { username: "me", password: "correct horse: battery" };

interface Place {
  readonly cli: PackPlace;
  readonly registry: FaultRegistry;
  readonly image: string;
  readonly words: readonly string[];
}

/** A folder that can be packed, and a registry that asks for an account. */
async function place(t: TestContext): Promise<Place> {
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "pybase");
  await writeFiles(cli.root, {
    "mnist/mnist.py": "class Mnist:\n    pass\n",
    "mnist/checkpoint_dir/model.index": "weights",
  });
  const registry = await startFaultRegistry(t, { auth: { kind: "basic", ...ACCOUNT } });
  for (const name of [
    "DOCKER_CONFIG",
    "DOCKER_AUTH_CONFIG",
    "REGISTRY_AUTH_FILE",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
  ])
    delete cli.env[name];
  Object.assign(cli.env, { HOME: join(cli.root, "../home") });
  const image = `${registry.host}/me/mnist:v1`;
  const words = [
    "packdocker",
    "tf",
    "--pack_file_path",
    "mnist",
    "--main_module",
    "mnist",
    "--main_class",
    "Mnist",
    "--model_dir",
    "checkpoint_dir",
    "--bimg_name",
    "store:pybase",
    "--uhub_registry",
    `${registry.host}/me`,
    "--uhub_imagename",
    "mnist:v1",
  ];
  return { cli, registry, image, words };
}

/** With a text on standard input. */
async function withInput(
  { cli, words }: Place,
  text: string,
  ...more: readonly string[]
): Promise<Ran> {
  const { spawn } = await import("node:child_process");
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "../../bin/slipway.js"), ...words, ...more],
    { cwd: cli.root, env: cli.env, stdio: ["pipe", "pipe", "pipe"] },
  );
  child.stdin.end(text);
  return untilEnd(child);
}

async function namesInStore({ cli }: Place): Promise<string> {
  return (await cli.slipway("ls")).stdout;
}

test("the password comes from standard input, and is nowhere to be seen", async (t) => {
  const at = await place(t);
  const ran = await withInput(
    at,
    `${ACCOUNT.password}\n`,
    "--uhub_username",
    ACCOUNT.username,
    "--password-stdin",
  );
  assert.equal(ran.exitCode, 0, ran.stderr);
  assert.ok(at.registry.manifests.has("me/mnist:v1"));
  assert.ok(!`${ran.stdout}${ran.stderr}`.includes(ACCOUNT.password));
  assert.ok(!ran.stderr.includes("process list"), "nobody is warned of what was not done");
  const empty = await withInput(at, "\n", "--uhub_username", ACCOUNT.username, "--password-stdin");
  assert.equal(empty.exitCode, 2);
  assert.match(empty.stderr, /read a password from standard input: it is empty/);
});

test("a wrong password ends with the registry's refusal, without the password, and keeps nothing", async (t) => {
  const at = await place(t);
  const ran = await withInput(
    at,
    "wrong-and-secret",
    "--uhub_username",
    ACCOUNT.username,
    "--password-stdin",
    "--emit-dockerfile",
    "uai.Dockerfile",
    "--write-conf",
  );
  assert.equal(ran.exitCode, 5, ran.stderr);
  assert.match(ran.stderr, /REGISTRY_UNAUTHORIZED/);
  assert.ok(!ran.stderr.includes("wrong-and-secret"));
  assert.deepEqual((await readdir(at.cli.root)).toSorted(), ["mnist"]);
  assert.deepEqual((await readdir(join(at.cli.root, "mnist"))).toSorted(), [
    "checkpoint_dir",
    "mnist.py",
  ]);
  assert.ok(!(await namesInStore(at)).includes("mnist"));
});

test("credentials of the environment and of docker's file serve without any flag", async (t) => {
  const at = await place(t);
  Object.assign(at.cli.env, {
    SLIPWAY_REGISTRY: at.registry.host,
    SLIPWAY_REGISTRY_USER: ACCOUNT.username,
    SLIPWAY_REGISTRY_PASSWORD: ACCOUNT.password,
  });
  const first = await at.cli.slipway(...at.words);
  assert.equal(first.exitCode, 0, first.stderr);
  for (const name of ["SLIPWAY_REGISTRY", "SLIPWAY_REGISTRY_USER", "SLIPWAY_REGISTRY_PASSWORD"])
    delete at.cli.env[name];
  at.registry.manifests.clear();
  assert.equal((await at.cli.slipway(...at.words)).exitCode, 5, "without them it is refused");
  const docker = join(at.cli.root, "../docker");
  await mkdir(docker);
  await writeFile(
    join(docker, "config.json"),
    JSON.stringify({
      auths: {
        [at.registry.host]: {
          auth: Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString("base64"),
        },
      },
    }),
  );
  at.cli.env["DOCKER_CONFIG"] = docker;
  const second = await at.cli.slipway(...at.words);
  assert.equal(second.exitCode, 0, second.stderr);
  assert.ok(at.registry.manifests.has("me/mnist:v1"));
});

test("the account of the flags is used for a base in the same registry too, in a plan as well", async (t) => {
  const at = await place(t);
  const account = ["--uhub_username", ACCOUNT.username, "--uhub_password", ACCOUNT.password];
  const base = `${at.registry.host}/bases/python:3`;
  Object.assign(at.cli.env, {
    SLIPWAY_REGISTRY: at.registry.host,
    SLIPWAY_REGISTRY_USER: ACCOUNT.username,
    SLIPWAY_REGISTRY_PASSWORD: ACCOUNT.password,
  });
  assert.equal((await at.cli.slipway("copy", "store:pybase", base)).exitCode, 0);
  for (const name of ["SLIPWAY_REGISTRY", "SLIPWAY_REGISTRY_USER", "SLIPWAY_REGISTRY_PASSWORD"])
    delete at.cli.env[name];
  for (const more of [["--plan"], []]) {
    const ran = await at.cli.slipway(...at.words, ...account, "--bimg_name", base, ...more);
    assert.equal(ran.exitCode, 0, ran.stderr);
  }
  assert.ok(at.registry.manifests.has("me/mnist:v1"));
});

for (const flag of ["--plan", "--dry-run"]) {
  test(`${flag} shows the layers, makes no image and sends nothing`, async (t) => {
    const at = await place(t);
    const ran = await at.cli.slipway(
      ...at.words,
      flag,
      "--write-conf",
      "--emit-dockerfile",
      "uai.Dockerfile",
      "--output",
      "oci=out",
    );
    assert.equal(ran.exitCode, 0, ran.stderr);
    for (const part of [
      at.image,
      "checkpoint_dir/model.index",
      "slipway server",
      "configuration",
      "base layer 1",
    ])
      assert.ok(ran.stdout.includes(part), `${part} in ${ran.stdout}`);
    assert.ok(!ran.stdout.includes("successful"));
    assert.equal(at.registry.manifests.size + at.registry.blobs.size, 0);
    assert.deepEqual((await readdir(at.cli.root)).toSorted(), ["mnist"]);
    assert.ok(!(await namesInStore(at)).includes("mnist"));
    const json = await at.cli.slipway(...at.words, flag, "--json");
    assert.equal(json.result["image"], at.image);
    assert.ok(
      (json.result["layers"] as readonly { readonly label: string }[]).some(
        ({ label }) => label === "configuration",
      ),
      json.stdout,
    );
  });
}

test("--no-push keeps the image in the store alone, and --output writes it as well", async (t) => {
  const at = await place(t);
  const ran = await at.cli.slipway(
    ...at.words,
    "--no-push",
    "--output",
    "oci=out",
    "--output",
    "docker-archive=out.tar",
  );
  assert.equal(ran.exitCode, 0, ran.stderr);
  assert.ok(!ran.stdout.includes("successful"), ran.stdout);
  assert.equal(at.registry.manifests.size, 0);
  const [, digest = ""] = /(sha256:[0-9a-f]{64}) \(in the local store\)/.exec(ran.stdout) ?? [];
  assert.equal((await at.cli.store.resolve(parseReference(at.image))).digest, digest);
  const layout = await openLayout(join(at.cli.root, "out")).resolve({
    registry: "",
    repository: "",
    tag: "v1",
  });
  assert.equal(layout.digest, digest);
  await using archive = await openArchive(join(at.cli.root, "out.tar"));
  assert.equal((await archive.resolve(parseReference(at.image))).digest, digest);
  assert.ok((await readFile(join(at.cli.root, "out.tar"))).byteLength > 0);
});

test("an --output that is none is refused before anything is made", async (t) => {
  const at = await place(t);
  const ran = await at.cli.slipway(...at.words, "--no-push", "--output", "floppy=a");
  assert.equal(ran.exitCode, 2, ran.stderr);
  assert.ok(!(await namesInStore(at)).includes("mnist"));
});
