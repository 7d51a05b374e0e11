import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { configOf, imageFrom, layersOf } from "./packdocker-support.ts";
import { imageFrom as imageOf, parseReference } from "../../src/images/oci/index.ts";
import { createRegistryServer } from "../../src/images/registry-server/index.ts";
import { createStore, type Store } from "../../src/images/store/index.ts";
import { putFakeBase } from "../support/fake-base.ts";
import { type PackPlace, packPlace, writeFiles } from "../support/pack-place.ts";

const CLASS =
  "from uai.arch.keras_model import KerasAiUcloudModel\nclass MnistModel(KerasAiUcloudModel):\n    pass\n";
const SECRET = "hunter2-is-secret";
const KEY = "private-key-value";

interface Place {
  readonly cli: PackPlace;
  readonly host: string;
  /** Behind the registry. */
  readonly pushed: Store;
}

async function place(t: TestContext): Promise<Place> {
  const cli = await packPlace(t);
  await putFakeBase(cli.store, "pybase");
  await writeFiles(cli.root, {
    "mnist/mnist_inference.py": CLASS,
    "mnist/ufile.json": "stale",
    "mnist/my.conf":
      '{"http_server": {"exec": {"main_file": "mnist_inference", "main_class": "MnistModel"}}}',
    "mnist/checkpoint_dir/mnist_model.h5": "weights",
    "mnist/checkpoint_dir/mnist_model.json": "{}",
    "mnist/checkpoint_dir/mnist_model.prototxt": "",
    "mnist/checkpoint_dir/mnist_model.caffemodel": "w",
    "mnist/checkpoint_dir/mnist_model-symbol.json": "{}",
    "mnist/checkpoint_dir/mnist_model-0010.params": "w",
  });
  const folder = await mkdtemp(join(tmpdir(), "slipway-packdocker-"));
  const pushed = createStore({ dataDir: join(folder, "data"), cacheDir: join(folder, "cache") });
  const server = await createRegistryServer({ store: pushed, port: 0, host: "127.0.0.1" });
  t.after(async () => {
    await server.close();
    await pushed[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  return { cli, pushed, host: new URL(server.url).host };
}

const MODEL = [
  "--main_class",
  "MnistModel",
  "--main_module",
  "mnist_inference",
  "--model_dir",
  "checkpoint_dir",
];
const OWN = {
  tf: MODEL,
  caffe: [...MODEL, "--model_name", "mnist_model"],
  keras: [...MODEL, "--model-name=mnist_model", "--all_one_file=false"],
  mxnet: [...MODEL, "--model_name", "mnist_model", "--num_epoch", "10"],
  self: ["--conf_file", "my.conf"],
} as const;

for (const [mode, own] of Object.entries(OWN)) {
  test(`packdocker ${mode} pushes an image of the layout that users know`, async (t) => {
    const { cli, host, pushed } = await place(t);
    const keys = mode === "self" ? [] : ["--public_key", "xxxxx", "--private_key", KEY];
    const ran = await cli.slipway(
      "packdocker",
      mode,
      ...own,
      ...keys,
      "--pack_file_path",
      "mnist",
      "--bimg_name",
      "store:pybase",
      "--uhub_username",
      "me",
      "--uhub_password",
      SECRET,
      "--uhub_registry",
      `${host}/me`,
      "--uhub_imagename",
      "mnist:v1.1",
    );
    assert.equal(ran.exitCode, 0, ran.stderr);
    assert.ok(
      ran.stdout.includes(`upload docker images successful. images:${host}/me/mnist:v1.1\n`),
      ran.stdout,
    );
    assert.ok(
      !`${ran.stdout}${ran.stderr}`.includes(SECRET) && !`${ran.stdout}${ran.stderr}`.includes(KEY),
    );
    const image = await imageFrom(pushed, "me/mnist", "v1.1", host);
    const confName = mode === "self" ? "my.conf" : "ufile.json";
    const { config } = await configOf(image);
    assert.ok(config?.Env?.includes(`UAI_SERVICE_CONFIG=/ai-ucloud-client-django/${confName}`));
    assert.equal(config?.Env?.includes("PYTHONPATH=/root/caffe/python"), mode === "caffe");
    assert.deepEqual(
      [config?.WorkingDir, config?.ExposedPorts],
      ["/ai-ucloud-client-django", { "8080/tcp": {} }],
    );
    const files = await layersOf(image);
    const at = (name: string): number =>
      files.findIndex((layer) => layer.has(`ai-ucloud-client-django/${name}`));
    assert.ok(
      at("checkpoint_dir/mnist_model.h5") >= 0 &&
        at("checkpoint_dir/mnist_model.h5") < at("mnist_inference.py"),
    );
    assert.equal(
      files.filter((layer) => layer.has(`ai-ucloud-client-django/${confName}`)).length,
      1,
    );
    const text = files[at(confName)]?.get(`ai-ucloud-client-django/${confName}`) ?? "";
    assert.deepEqual((JSON.parse(text) as { http_server: { exec: unknown } }).http_server.exec, {
      main_file: "mnist_inference",
      main_class: "MnistModel",
    });
    for (const layer of files)
      for (const content of layer.values())
        assert.ok(!content.includes(SECRET) && !content.includes(KEY));
  });
}

test("every problem of flags and folder is named at once, and nothing is made", async (t) => {
  const { cli, host } = await place(t);
  const ran = await cli.slipway(
    "packdocker",
    "keras",
    "--main_class",
    "Other",
    "--main_module",
    "mnist_inference",
    "--model_dir",
    "checkpoint_dir",
    "--model_name",
    "absent",
    "--pack_file_path",
    "mnist",
    "--ai_arch_v",
    "mxnet-0.9.5",
    "--uhub_password",
    SECRET,
    "--uhub_registry",
    `${host}/me`,
    "--uhub_imagename",
    "untagged",
  );
  assert.equal(ran.exitCode, 2);
  for (const part of [
    "--uhub_imagename:",
    "--ai_arch_v:",
    '--main_class: there is no class "Other"',
    '"absent.json"',
    '"absent.h5"',
  ])
    assert.ok(ran.stderr.includes(part), `${part} in ${ran.stderr}`);
  assert.ok(!ran.stderr.includes(SECRET));
  assert.deepEqual((await readdir(cli.root)).toSorted(), ["mnist"]);
});

test("a dry run shows the layers, and --write-conf and --emit-dockerfile write what they say", async (t) => {
  const { cli } = await place(t);
  const words = [
    "packdocker",
    "keras",
    ...OWN.keras,
    "--pack_file_path",
    join(cli.root, "mnist"),
    "--bimg_name",
    "store:pybase",
    "--uhub_registry",
    "localhost:1/me",
    "--uhub_imagename",
    "a:b",
  ];
  const dry = await cli.slipway(...words, "--dry-run");
  assert.equal(dry.exitCode, 0, dry.stderr);
  assert.match(dry.stdout, /would make localhost:1\/me\/a:b[^]*configuration/);
  const made = await cli.slipway(
    ...words,
    "--no-push",
    "--max-wait-ms",
    "0",
    "--write-conf",
    "--emit-dockerfile",
    "uai.Dockerfile",
  );
  assert.equal(made.exitCode, 0, made.stderr);
  assert.match(made.stdout, /localhost:1\/me\/a:b sha256:[0-9a-f]{64} \(in the local store\)/);
  assert.deepEqual((await readdir(cli.root)).toSorted(), ["mnist", "uai.Dockerfile"]);
  const lines = (await readFile(join(cli.root, "uai.Dockerfile"), "utf8")).split("\n");
  const image = imageOf(cli.store, await cli.store.resolve(parseReference("localhost:1/me/a:b")));
  const { config } = await configOf(image);
  const line = (text: string): void =>
    assert.ok(lines.includes(text), `${text} in\n${lines.join("\n")}`);
  for (const variable of config?.Env ?? []) line(`ENV ${variable.replace("=", '="')}"`);
  for (const text of [
    "FROM store:pybase",
    `ENTRYPOINT ${JSON.stringify(config?.Entrypoint)}`,
    "CMD []",
    `USER ${config?.User}`,
    `WORKDIR ${config?.WorkingDir}`,
    "EXPOSE 8080/tcp",
  ])
    line(text);
  // Every file that it copies out of the image is there.
  const inImage = (await layersOf(image)).flatMap((layer) => [...layer.keys()]);
  const copied = lines
    .filter((text) => text.startsWith("COPY --from="))
    .flatMap((text) => text.match(/\/opt\/slipway\/[\w*.]+\/?(?= )|ai-ucloud[^"]+/g) ?? []);
  for (const path of new Set(copied)) {
    const pattern = path.replace(/^\//, "").replace("*", "");
    if (!/node$/.test(path))
      assert.ok(
        inImage.some((file) =>
          path.includes("*")
            ? file.startsWith("opt/slipway/") && file.endsWith(".mjs")
            : file.startsWith(pattern),
        ),
        `${path} in ${inImage.join(" ")}`,
      );
  }
  assert.ok(copied.length >= 6, copied.join(" "));
  assert.ok(!lines.join("\n").includes("gunicorn"));
});
