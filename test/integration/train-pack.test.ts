import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import {
  configOf,
  imageFrom,
  manifestOf,
  parseReference,
  uncompressed,
  validateImage,
  type Reference,
} from "../../src/images/oci/index.ts";
import { run } from "../../src/ground/process/index.ts";
import { createRegistryServer } from "../../src/images/registry-server/index.ts";
import { createStore, type Store } from "../../src/images/store/index.ts";
import { readTar } from "../../src/images/tar/index.ts";
import { FRAMEWORKS, parsePlan, type Framework } from "../../src/jobs/train/index.ts";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { putSmallImage } from "../support/small-image.ts";
import { debianPlace, engineEnvironment } from "../support/debian-place.ts";
import {
  inProcess,
  packTraining,
  type ScreenPlace,
  type TestFlags,
} from "../support/in-process.ts";
import { packPlace } from "../support/pack-place.ts";

// A change here is one that users' images see: review it, then run the test once with SLIPWAY_UPDATE_GOLDEN=1.
const GOLDEN = join(import.meta.dirname, "../fixtures/golden/train/images.json");
const golden: Record<string, unknown> = JSON.parse(readFileSync(GOLDEN, "utf8"));

const CODE = {
  "code/train.py": "print('hello')\n",
  "code/lib/net.py": "x = 1\n",
  "code/solver.prototxt": "net: 'x'\n",
  "code/run.sh": "#!/bin/sh\n",
};

/** A base whose Python is not where the platform looks for it, in the store under `store:base`. */
async function withBase(place: ScreenPlace): Promise<void> {
  await using store = storeOf(place);
  const descriptor = await putSmallImage(store, {
    compress: false,
    layers: [{ "usr/local/bin/python3.11": "python", "etc/os-release": "ID=test" }],
  });
  await store.tag(descriptor, { registry: "store", repository: "base", tag: "latest" });
}

function storeOf({ cli }: ScreenPlace): Store {
  const { data, cache } = cli.session.directories;
  return createStore({ dataDir: data, cacheDir: cache });
}

/** A registry over a store of its own. */
async function registryFor(
  t: TestContext,
): Promise<{ readonly host: string; readonly store: Store }> {
  const place = inProcess(await packPlace(t, { isBare: true }));
  const store = storeOf(place);
  const server = await createRegistryServer({ store, port: 0 });
  t.after(async () => {
    await server[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });
  return { host: new URL(server.url).host, store };
}

const flagsFor = (framework: Framework, host: string): TestFlags => ({
  code_path: "./code/",
  mainfile_path: "train.py",
  uhub_registry: `${host}/team`,
  uhub_imagename: "job",
  test_data_path: "data",
  test_output_path: "/tmp/output",
  engine: "none",
  ...(framework === "self" ? { self_img: "store:base" } : { bimg_name: "store:base" }),
  ...(framework === "caffe" ? { solver: "solver.prototxt" } : {}),
});

/** How the store behind a registry names what was pushed. */
function inStore(name: string): Reference {
  return { ...parseReference(name), registry: "store" };
}

/** What a container sees: files of the layers above the base, and the config without what names this build. */
async function factsOf(store: Store, name: string): Promise<unknown> {
  const image = imageFrom(store, await store.resolve(inStore(name)));
  await validateImage(image);
  const manifest = await manifestOf(image);
  const files: string[] = [];
  for (const [index, layer] of (await image.layers()).entries()) {
    for await (const { entry } of readTar(
      uncompressed(layer.open(), manifest.layers[index]?.mediaType ?? ""),
    )) {
      if (index > 0)
        files.push(
          `${entry.mode.toString(8)} ${entry.path}${entry.type === "directory" ? "/" : ""}${entry.linkTarget === undefined ? "" : ` -> ${entry.linkTarget}`}`,
        );
    }
  }
  const { config, created, history } = await configOf(image);
  return { created, config, history, files };
}

for (const framework of FRAMEWORKS) {
  for (const accelerator of ["gpu", "cpu"]) {
    test(`images of ${framework} for ${accelerator} have the config and the files they always had`, async (t) => {
      const [place, registry] = [
        inProcess(await packPlace(t, { isBare: true })),
        await registryFor(t),
      ];
      await withBase(place);
      await place.write(CODE);
      await packTraining(
        framework,
        { ...flagsFor(framework, registry.host), acc_type: accelerator, pushCpu: true },
        place.cli,
      );
      const plan = parsePlan(
        await readFile(join(place.root, "slipway-train.json"), "utf8"),
        "plan",
      );
      assert.deepEqual(
        Object.keys(plan.images),
        accelerator === "cpu" ? ["cpu"] : framework === "self" ? ["gpu"] : ["cpu", "gpu"],
      );
      for (const [kind, { name, digest }] of Object.entries(plan.images)) {
        const key = `${framework} ${accelerator} ${kind}`;
        const facts: unknown = JSON.parse(
          JSON.stringify(await factsOf(registry.store, name)).replaceAll(registry.host, "HOST"),
        );
        assert.equal((await registry.store.resolve(inStore(name))).digest, digest);
        if (process.env["SLIPWAY_UPDATE_GOLDEN"] === "1") {
          golden[key] = facts;
          writeFileSync(GOLDEN, `${JSON.stringify(golden, undefined, 1)}\n`);
        }
        assert.deepEqual(facts, golden[key], key);
      }
    });
  }
}

test("the two images share every layer when they stand on one base, and a second pack makes the same", async (t) => {
  const [place, registry] = [inProcess(await packPlace(t, { isBare: true })), await registryFor(t)];
  await withBase(place);
  await place.write(CODE);
  const flags = flagsFor("pytorch", registry.host);
  await packTraining("pytorch", flags, place.cli);
  const first = await readFile(join(place.root, "slipway-train.json"), "utf8");
  const { images } = parsePlan(first, "plan");
  await using store = storeOf(place);
  const [cpu, gpu] = await Promise.all(
    [
      { from: store, name: "localhost/job-cpu:uaitrain" },
      { from: registry.store, name: images.gpu?.name ?? "" },
    ].map(async ({ from, name }) => {
      const image = imageFrom(from, await from.resolve(inStore(name)));
      return { layers: (await manifestOf(image)).layers, env: (await configOf(image)).config?.Env };
    }),
  );
  assert.deepEqual(cpu?.layers, gpu?.layers);
  const isForCards = (line: string): boolean => line.startsWith("NVIDIA_");
  assert.deepEqual(cpu?.env?.filter(isForCards) ?? [], []);
  assert.deepEqual(gpu?.env?.filter(isForCards), [
    "NVIDIA_VISIBLE_DEVICES=all",
    "NVIDIA_DRIVER_CAPABILITIES=compute,utility",
  ]);
  assert.deepEqual([images.cpu?.isPushed, images.gpu?.isPushed], [false, true]);
  await packTraining("pytorch", flags, place.cli);
  assert.equal(await readFile(join(place.root, "slipway-train.json"), "utf8"), first);
});

test("what packing and running leave in the code folder goes into no image", async (t) => {
  const place = inProcess(await packPlace(t, { isBare: true }));
  await withBase(place);
  await place.write({
    "train.py": "print('hello')\n",
    "lib/slipway-run.json": "{}",
    "lib/net.py": "x = 1\n",
    ".slipwayignore": "!slipway-train.json\n",
  });
  const flags = { ...flagsFor("tf", "registry.example.com"), code_path: ".", acc_type: "cpu" };
  const digests: (string | undefined)[] = [];
  for (const round of ["first", "second", "third"]) {
    await packTraining("tf", flags, place.cli);
    const plan = await readFile(join(place.root, "slipway-train.json"), "utf8");
    digests.push(parsePlan(plan, "plan").images.cpu?.digest);
    await place.write({ "slipway-run.json": round, "slipway-train.svg": round });
  }
  assert.equal(new Set(digests).size, 1, digests.join(" "));
  await using store = storeOf(place);
  const files = JSON.stringify(await factsOf(store, "localhost/job-cpu:uaitrain"));
  assert.ok(files.includes("data/lib/net.py"));
  for (const own of ["uaitrain_cmd.txt", "slipway-train", "slipway-run"])
    assert.ok(!files.includes(own), own);
});

test("data stays out of the images, and is pointed out", async (t) => {
  const [place, registry] = [inProcess(await packPlace(t, { isBare: true })), await registryFor(t)];
  await withBase(place);
  await place.write({
    ...CODE,
    "code/data/train.bin": "data",
    "code/output/model.bin": "old",
    "code/sets/mine/x.bin": "data",
    "code/images/1.png": Buffer.alloc(2 ** 21),
  });
  await packTraining(
    "tf",
    { ...flagsFor("tf", registry.host), test_data_path: "code/sets/mine", acc_type: "cpu" },
    place.cli,
  );
  await using store = storeOf(place);
  const files = JSON.stringify(await factsOf(store, "localhost/job-cpu:uaitrain"));
  assert.ok(files.includes("data/train.py") && files.includes("data/images/1.png"));
  for (const hidden of ["train.bin", "model.bin", "x.bin"])
    assert.ok(!files.includes(hidden), hidden);
  const said = place.warnings.join("\n");
  for (const text of [
    '"data" in the code folder stays out',
    '"output" in the code folder stays out',
    '"sets/mine" in the code folder stays out',
    '"images" in the code folder looks like data',
  ])
    assert.ok(said.includes(text), text);
  assert.ok(place.lines.some((line) => line.includes("nothing was pushed")));
});

test("a data folder that is the code folder is pointed out", async (t) => {
  const place = inProcess(await packPlace(t, { isBare: true }));
  await withBase(place);
  await place.write(CODE);
  await packTraining(
    "tf",
    {
      ...flagsFor("tf", "registry.example.com"),
      test_data_path: "code/",
      acc_type: "cpu",
      dryRun: true,
    },
    place.cli,
  );
  assert.match(place.warnings.join("\n"), /--test_data_path is the code folder itself/);
});

test("self logs in with the flags' account, for its base too, and pushes, and the password is nowhere afterwards", async (t) => {
  const registry = await startDockerRegistry(t, { auth: "htpasswd" });
  if (registry === undefined) return;
  const place = inProcess(await packPlace(t, { isBare: true }));
  await withBase(place);
  await place.write(CODE);
  await assert.rejects(packTraining("self", flagsFor("self", registry.host), place.cli), {
    code: "REGISTRY_UNAUTHORIZED",
  });
  await packTraining(
    "self",
    {
      ...flagsFor("self", registry.host),
      uhub_username: registry.username,
      uhub_password: registry.password,
    },
    place.cli,
  );
  assert.ok(place.warnings.some((text) => text.includes("--uhub_password")));
  // What was pushed is a base that only the account can read.
  const onTop = {
    ...flagsFor("self", registry.host),
    self_img: `${registry.host}/team/job:uaitrain`,
    uhub_imagename: "above",
    uhub_username: registry.username,
    uhub_password: registry.password,
  };
  await assert.rejects(
    packTraining(
      "self",
      { ...onTop, uhub_username: undefined, uhub_password: undefined },
      place.cli,
    ),
    { code: "REGISTRY_UNAUTHORIZED" },
  );
  for (const half of ["uhub_username", "uhub_password"])
    await assert.rejects(packTraining("self", { ...onTop, [half]: undefined }, place.cli), {
      code: "USAGE",
      message: new RegExp(`--uhub_${half === "uhub_username" ? "password" : "username"}`),
    });
  await packTraining("self", onTop, place.cli);
  const written = await Promise.all(
    (await readdir(place.root))
      .filter((name) => /\.(txt|json)$/.test(name))
      .map((name) => readFile(join(place.root, name), "utf8")),
  );
  assert.equal(written.length, 2);
  for (const text of [...written, ...place.lines, ...place.warnings, JSON.stringify(place.results)])
    assert.ok(!text.includes(registry.password));
});

test("a dry run names images and commands, and makes neither image nor plan", async (t) => {
  const place = inProcess(await packPlace(t, { isBare: true }));
  await place.write(CODE);
  await packTraining(
    "pytorch",
    {
      ...flagsFor("pytorch", "registry.example.com"),
      bimg_name: undefined,
      ai_arch_v: "pytorch-2.6.0",
      dryRun: true,
    },
    place.cli,
  );
  assert.deepEqual((await readdir(place.root)).sort(), ["code", "uaitrain_cmd.txt"]);
  assert.match(place.lines.join("\n"), /job-cpu:uaitrain .*torch==2\.6\.0\+cpu, numpy/);
  assert.match(
    place.lines.join("\n"),
    /registry\.example\.com\/team\/job:uaitrain .*torch==2\.6\.0, numpy/,
  );
});

test("a dry run fails for a base that the store does not have, and for a parameter with a line break", async (t) => {
  const place = inProcess(await packPlace(t, { isBare: true }));
  await place.write(CODE);
  const flags = { ...flagsFor("tf", "registry.example.com"), dryRun: true };
  await assert.rejects(packTraining("tf", { ...flags, bimg_name: "store:nosuch" }, place.cli), {
    code: "REFERENCE_NOT_FOUND",
  });
  await assert.rejects(packTraining("tf", { ...flags, train_params: "--a 1\n--b 2" }, place.cli), {
    code: "USAGE",
    message: /--train_params has a line break in it/,
  });
});

test("what is missing is said before anything is made", async (t) => {
  const place = inProcess(await packPlace(t, { isBare: true }));
  await place.write(CODE);
  const flags = flagsFor("caffe", "registry.example.com");
  await assert.rejects(
    packTraining(
      "caffe",
      { ...flags, mainfile_path: "main.py", solver: "none.prototxt" },
      place.cli,
    ),
    {
      code: "PROJECT_NOT_FOUND",
      message: /--mainfile_path "main\.py" and --solver "none\.prototxt" are not in/,
    },
  );
  await assert.rejects(packTraining("caffe", { ...flags, code_path: "nowhere" }, place.cli), {
    code: "PROJECT_NOT_FOUND",
    message: /nowhere/,
  });
  await assert.rejects(
    packTraining(
      "pytorch",
      { ...flagsFor("pytorch", "registry.example.com"), solver: "x" },
      place.cli,
    ),
    { code: "USAGE", message: /no --solver/ },
  );
  await assert.rejects(
    packTraining(
      "pytorch",
      {
        ...flagsFor("pytorch", "registry.example.com"),
        bimg_name: undefined,
        ai_arch_v: "pytorch-0.2.0",
      },
      place.cli,
    ),
    { code: "BASE_UNSUITABLE", hint: /--bimg_name/ },
  );
  assert.deepEqual(await readdir(place.root), ["code"]);
  await place.write({ "code/.slipwayignore": "train.py\n" });
  await assert.rejects(packTraining("caffe", flags, place.cli), {
    code: "PROJECT_NOT_FOUND",
    message: /would not be in the image/,
  });
});

test("the printed command, pasted, runs the job in docker, after an edit and on a committed base too", async (t) => {
  const tools = await debianPlace(t, ["python3", "bash"]);
  const env = tools === undefined ? undefined : await engineEnvironment(t, "docker", tools);
  if (tools === undefined || env === undefined) return;
  await tools.write({
    "my code/train.py":
      "import sys, os\nfrom uaitrain.arch.pytorch import uargs\nopen('/data/output/seen.txt', 'w').write(repr(sys.argv[1:]) + os.getcwd() + open('/data/data/x').read())\n",
    "data set/x": "input",
    "output/.keep": "",
  });
  const flags = [
    "--code_path",
    "my code",
    "--mainfile_path",
    "train.py",
    "--train_params",
    `--name "it's $5"`,
    "--uhub_registry",
    "localhost:1",
    "--uhub_imagename",
    "pasted",
    "--test_data_path",
    "data set",
    "--test_output_path",
    "output",
  ];
  await tools.done(
    [
      "pytorch",
      "pack",
      "--bimg_name",
      "store:pybase",
      "--acc_type",
      "cpu",
      ...flags,
      "--engine",
      "docker",
    ],
    env,
  );
  const [, line = ""] = (await readFile(join(tools.root, "uaitrain_cmd.txt"), "utf8")).split("\n");
  const command = line.replace(
    "CMD for CPU local test: sudo docker run -it",
    "docker run --rm --network none",
  );
  assert.notEqual(command, line);
  await run(["bash", "-c", command], { env: { ...tools.env, ...env } });
  assert.equal(
    await readFile(join(tools.root, "output/seen.txt"), "utf8"),
    `['--name', "it's $5", '--work_dir=/data', '--data_dir=/data/data', '--output_dir=/data/output', '--log_dir=/data/output']/datainput`,
  );
  await tools.write({ "my code/train.py": "open('/data/output/seen.txt', 'w').write('edited')\n" });
  const again = await tools.done(
    [
      "pytorch",
      "pack",
      "--bimg_name",
      "store:pybase",
      "--acc_type",
      "cpu",
      ...flags,
      "--engine",
      "docker",
    ],
    env,
  );
  assert.match(
    again.stderr,
    /loading pasted-cpu:uaitrain into docker \([\d.]+ KiB, \d+ layers are there\)/,
    "what docker has is not sent again",
  );
  await run(["bash", "-c", command], { env: { ...tools.env, ...env } });
  assert.equal(await readFile(join(tools.root, "output/seen.txt"), "utf8"), "edited");

  // The documents' way to more packages: a container that is committed, as base of the next images.
  const docker = (...args: readonly string[]): Promise<unknown> =>
    run(["docker", ...args], { env: { ...tools.env, ...env } });
  await docker(
    "run",
    "--name",
    "more",
    "--network",
    "none",
    "pasted-cpu:uaitrain",
    "/bin/bash",
    "-c",
    "echo 'said = 3' > /usr/lib/python3/dist-packages/more.py",
  );
  await docker("commit", "more", "committed:1");
  await tools.write({
    "my code/train.py": "import more\nopen('/data/output/seen.txt', 'w').write(str(more.said))\n",
  });
  await tools.done(
    [
      "pytorch",
      "pack",
      "--bimg_name",
      "docker-daemon:committed:1",
      "--acc_type",
      "cpu",
      ...flags,
      "--engine",
      "docker",
    ],
    env,
  );
  await run(["bash", "-c", command], { env: { ...tools.env, ...env } });
  assert.equal(await readFile(join(tools.root, "output/seen.txt"), "utf8"), "3");
});
