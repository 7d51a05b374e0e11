import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { isToolError } from "../../ground/errors/index.ts";
import { createTempDir } from "../../ground/process/index.ts";
import { readModelFolders } from "./index.ts";
import { parseTextProto } from "./text-proto.ts";

type Files = Readonly<Record<string, string>>;

async function read(files: Files): Promise<Awaited<ReturnType<typeof readModelFolders>>> {
  await using folder = await createTempDir("models");
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder.path, path)), { recursive: true });
    await writeFile(join(folder.path, path), text);
  }
  const { models, refused } = await readModelFolders(folder.path);
  const short = (path: string): string => relative(folder.path, path);
  return {
    models: models.map((model) => ({
      ...model,
      versions: model.versions.map((one) => ({ ...one, folder: short(one.folder) })),
    })),
    refused: refused.map(({ name, why }) => ({ name, why: why.replaceAll(`${folder.path}/`, "") })),
  };
}

const versionsOf = (found: Awaited<ReturnType<typeof read>>, name: string): readonly string[] =>
  found.models.find((model) => model.name === name)?.versions.map(({ version }) => version) ?? [];

test("folders with a model's files are models, and hidden ones and others are not", async () => {
  const { models } = await read({
    "b/model.py": "",
    "a/metadata.json": "",
    "c/notes.txt": "",
    ".d/model.onnx": "",
    "README.md": "",
  });
  assert.deepEqual(
    models.map(({ name, layout, versions }) => [name, layout, versions]),
    [
      ["a", "plain", [{ version: "1", folder: "a" }]],
      ["b", "plain", [{ version: "1", folder: "b" }]],
    ],
  );
});

test("a folder with a project's files is no folder of models", async () => {
  assert.deepEqual((await read({ "a/model.py": "", "Model.py": "" })).models, []);
  assert.deepEqual((await read({ "a/model.py": "", "slipway.yaml": "" })).models, []);
  assert.deepEqual((await readModelFolders("/no/such/folder")).models, []);
});

test("of numbered folders the newest is served, by its number", async () => {
  const found = await read({
    "m/9/model.onnx": "",
    "m/10/model.onnx": "",
    "m/x/model.onnx": "",
    "tf/1/saved_model.pb": "",
  });
  assert.deepEqual(versionsOf(found, "m"), ["10"]);
  assert.equal(found.models.find(({ name }) => name === "tf")?.layout, "tensorflow-serving");
});

test("versions.yaml says which versions are served, their labels and their shares", async () => {
  const four = Object.fromEntries([1, 2, 3, 4].map((n) => [`m/${n}/model.onnx`, ""]));
  const served = async (text: string): Promise<readonly string[]> =>
    versionsOf(await read({ ...four, "m/versions.yaml": text }), "m");
  assert.deepEqual(await served("serve: all"), ["1", "2", "3", "4"]);
  assert.deepEqual(await served("serve: 2"), ["3", "4"]);
  assert.deepEqual(await served("serve: [1, 3]"), ["1", "3"]);
  assert.deepEqual(await served("labels: {old: 2}"), ["2", "4"]);
  assert.deepEqual(await served("weights: {3: 9, 4: 1}"), ["3", "4"]);
  assert.deepEqual(await served(""), ["4"]);
  const { models } = await read({
    ...four,
    "m/versions.yaml": "labels: {canary: 4}\nweights: {3: 9, 4: 1}",
  });
  assert.deepEqual([models[0]?.labels, models[0]?.weights], [{ canary: "4" }, { 3: 9, 4: 1 }]);
});

for (const [what, text, why] of [
  ["an unknown key", "serves: all", /serves is not one of serve, labels, weights/],
  ["a version that is not there", "serve: [7]", /no version "7"; there is 1/],
  ["a label that is a number", "labels: {1: 1}", /labels\.1 is not a label/],
  ["no share at all", "weights: {1: 0}", /weights is not above 0/],
] as const) {
  test(`versions.yaml with ${what} refuses its model, and no other`, async () => {
    const { models, refused } = await read({
      "m/1/model.onnx": "",
      "m/versions.yaml": text,
      "n/model.onnx": "",
    });
    assert.deepEqual(
      models.map(({ name }) => name),
      ["n"],
    );
    assert.equal(refused[0]?.name, "m");
    assert.match(refused[0]?.why ?? "", why);
  });
}

const TRITON = `# as of its documentation
name: "densenet"
platform: "onnxruntime_onnx"
max_batch_size: 8
input [ { name: "x" data_type: TYPE_FP32 dims: [ 3, 224, 224 ] } ]
version_policy: { specific: { versions: [1, 3] } }
instance_group [ { count: 2 kind: KIND_CPU } ]
dynamic_batching { max_queue_delay_microseconds: 1500 }
parameters: { key: "k" value: { string_value: "two " 'parts' } }
response_cache { enable: true }
`;

test("Triton's configuration gives name, versions, kind, workers and batching", async () => {
  const { models } = await read({
    ...Object.fromEntries([1, 2, 3].map((n) => [`d/${n}/model.onnx`, ""])),
    "d/config.pbtxt": TRITON,
  });
  assert.deepEqual(models, [
    {
      ...{ name: "densenet", layout: "triton", kind: "onnx", ignored: ["response_cache"] },
      server: { workers: 2, maxBatch: 8, maxWaitMs: 2 },
      versions: [1, 3].map((n) => ({ version: String(n), folder: `d/${n}` })),
    },
  ]);
});

test("Triton's configuration for what nothing here runs is refused with a reason", async () => {
  const { refused } = await read({ "p/1/model.py": "", "p/config.pbtxt": 'backend: "python"' });
  assert.match(refused[0]?.why ?? "", /nothing here runs "python"/);
});

test("MLServer's settings give name, version, kind, file, workers and batching", async () => {
  const settings = {
    name: "iris",
    implementation: "mlserver_sklearn.SKLearnModel",
    parallel_workers: 2,
    max_batch_size: 16,
    max_batch_time: 0.5,
    parameters: { uri: "./model.joblib", version: "v0.1.0" },
  };
  const own = { name: "own", implementation: "code.models.Mine", parameters: {} };
  const { models } = await read({
    "a/model-settings.json": JSON.stringify(settings),
    "b/model-settings.json": JSON.stringify(own),
    "c/x/model-settings.json": '{"name":"twice","parameters":{"version":"2"}}',
    "c/y/model-settings.json": '{"name":"twice","parameters":{"version":"1"}}',
  });
  assert.deepEqual(models[0], {
    ...{ name: "iris", layout: "mlserver", kind: "sklearn", model: "model.joblib", ignored: [] },
    server: { workers: 2, maxBatch: 16, maxWaitMs: 500 },
    versions: [{ version: "v0.1.0", folder: "a" }],
  });
  assert.equal(models[1]?.code, "code/models.py:Mine");
  assert.deepEqual(
    models[2]?.versions.map(({ version, folder }) => [version, folder]),
    [
      ["1", "c/y"],
      ["2", "c/x"],
    ],
  );
});

test("MLServer's settings that cannot be followed refuse their model", async () => {
  const { models, refused } = await read({
    "a/model-settings.json": "{",
    "b/model-settings.json": '{"implementation":"mlserver_huggingface.HuggingFaceRuntime"}',
    "c/model-settings.json": '{"parameters":{"uri":"s3://x/y"}}',
  });
  assert.deepEqual(models, []);
  assert.deepEqual(
    refused.map(({ why }) => /not JSON|nothing here runs|a path of this machine/.test(why)),
    [true, true, true],
  );
});

test("TensorFlow Serving's list of models gives names, versions and labels", async () => {
  const list = `model_config_list {
    config { name: "half" base_path: "/models/h" model_platform: "tensorflow"
      model_version_policy { specific { versions: 1 versions: 2 } }
      version_labels { key: "stable" value: 1 } version_labels { key: "canary" value: 2 } } }`;
  const { models } = await read({
    "models.config": list,
    "h/1/saved_model.pb": "",
    "h/2/saved_model.pb": "",
    "h/3/saved_model.pb": "",
    "other/1/saved_model.pb": "",
  });
  assert.deepEqual(
    models.map(({ name, labels, versions }) => [name, labels, versions.length]),
    [["half", { stable: "1", canary: "2" }, 2]],
  );
});

test("one name in two folders is refused the second time", async () => {
  const { models, refused } = await read({
    "a/config.pbtxt": 'name: "m"',
    "a/1/model.onnx": "",
    "m/model.onnx": "",
  });
  assert.deepEqual([models.length, refused[0]?.name], [1, "m"]);
});

for (const text of ['a: "', "a {", "a: {b: }", "{}", "a: 1 }", `${"a{".repeat(70)}`, "a: %"]) {
  test(`text that is no protobuf is refused with its line: ${text.slice(0, 12)}`, () => {
    assert.throws(
      () => parseTextProto(text, "f"),
      (error) =>
        isToolError(error) && error.code === "PROJECT_INVALID" && /line 1/.test(error.message),
    );
  });
}
