import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { requireDockerd, type Dockerd } from "../support/dockerd.ts";
import {
  assertMnist,
  CAFFE,
  KERAS,
  mnistData,
  TENSORFLOW,
  type MnistModel,
} from "../support/mnist.ts";
import { debianPlace } from "../support/debian-place.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const SLOW = {
  skip:
    process.env["SLIPWAY_REQUIRE_PEERS"] === "1" || process.env["SLIPWAY_SLOW"] === "1"
      ? false
      : "TensorFlow's wheels take minutes; SLIPWAY_SLOW=1 runs it",
};

/** Packs a folder as its user had it, pushes, has docker fetch and run what the registry holds, and asks that container everything. */
async function holds(
  t: TestContext,
  models: readonly (MnistModel & { readonly flags: readonly string[] })[],
): Promise<void> {
  const [picture, docker, registry] = [
    mnistData(t, "2.jpg"),
    await requireDockerd(t),
    await startDockerRegistry(t),
  ];
  if (picture === undefined || docker === undefined || registry === undefined) return;
  const tools = await debianPlace(t, ["python3", "libstdc++6", "libgomp1"]);
  if (tools === undefined) return;
  await run([process.execPath, join(ROOT, "scripts/build.js")], { cwd: ROOT, timeoutMs: 300_000 });
  for (const model of models) {
    const data = mnistData(t, model.folder);
    if (data === undefined) return;
    const folder = `mnist_${model.framework}`;
    await tools.write({
      [`${folder}/mnist_inference.py`]: model.source,
      [`${folder}/requirements.txt`]: model.packages.join("\n"),
    });
    await cp(data, join(tools.root, folder, "checkpoint_dir"), { recursive: true });
    const about = [
      "--pack_file_path",
      folder,
      "--main_module",
      "mnist_inference",
      "--main_class",
      "MnistModel",
      "--model_dir",
      "checkpoint_dir",
      ...model.flags,
    ];
    const image = `${registry.host}/me/${folder}:v1`;
    const packed = await tools.done([
      "packdocker",
      model.framework,
      ...about,
      "--bimg_name",
      "store:pybase",
      "--uhub_registry",
      `${registry.host}/me`,
      "--uhub_imagename",
      `${folder}:v1`,
    ]);
    assert.ok(
      packed.stdout.includes(`upload docker images successful. images:${image}\n`),
      packed.stdout,
    );
    await t.test(model.framework, () => answers(docker, image, { model, picture }));
  }
}

async function answers(
  docker: Dockerd,
  image: string,
  { model, picture }: { readonly model: MnistModel; readonly picture: string },
): Promise<void> {
  const id = (
    await docker.docker("run", "--detach", "--publish", "127.0.0.1:0:8080", image)
  ).trim();
  try {
    await untilReady(docker, id);
    const published = (await docker.docker("port", id, "8080/tcp")).trim();
    const url = `http://${published}/service`;
    for (const words of [
      ["-T", picture, url],
      ["-X", "POST", url, "-T", picture],
    ]) {
      assert.equal(
        (await run(["curl", "-sS", ...words])).stdout.toString(),
        "2\n",
        words.join(" "),
      );
    }
    await assertMnist(url, model);
  } finally {
    await docker.docker("rm", "--force", id);
  }
}

/** Waits for the line that the server writes when it answers. */
async function untilReady({ engine, host }: Dockerd, id: string): Promise<void> {
  let text = "";
  const { promise, resolve: ready } = Promise.withResolvers<void>();
  const take = (chunk: Uint8Array): void => {
    text += Buffer.from(chunk).toString();
    if (text.includes('"msg":"ready"')) ready();
  };
  const logs = run([engine.program ?? "docker", "--host", host, "logs", "--follow", id], {
    onStdout: take,
    timeoutMs: 300_000,
    allowFailure: true,
  });
  await Promise.race([
    promise,
    logs.then(() => Promise.reject(new Error(`the container ended: ${text}`))),
  ]);
  void logs.catch(() => undefined); // ends with the container
}

test("an old Caffe folder is packed, pushed, run by docker and right about all test images", (t) =>
  holds(t, [{ ...CAFFE, flags: ["--model_name", "mnist_model"] }]));

test(
  "old Keras and TensorFlow 1 folders are packed, pushed, run by docker and right about all test images",
  SLOW,
  (t) =>
    holds(t, [
      { ...KERAS, flags: ["--model_name", "mnist_model"] },
      { ...TENSORFLOW, flags: ["--tf1-compat"] },
    ]),
);
