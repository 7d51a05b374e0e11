import assert from "node:assert/strict";
import { test } from "node:test";
import { localTasks, parseProvenance, tasksOf } from "./index.ts";

test("torch's processes know the first one's address, their rank and how many they are", () => {
  const tasks = localTasks({ framework: "pytorch" }, { workers: 2, servers: 0 });
  assert.deepEqual(
    tasks.map(({ name }) => name),
    ["0", "1"],
  );
  assert.deepEqual(
    tasks.map(({ env }) => [
      env["MASTER_ADDR"],
      env["MASTER_PORT"],
      env["RANK"],
      env["LOCAL_RANK"],
      env["WORLD_SIZE"],
    ]),
    [
      ["127.0.0.1", "{port:0}", "0", "0", "2"],
      ["127.0.0.1", "{port:0}", "1", "1", "2"],
    ],
  );
});

test("TensorFlow's processes have one cluster, with a master before the workers where it is version 1", () => {
  const job = { framework: "tf", release: "tensorflow-1.4.0" } as const;
  const tasks = tasksOf(job, { workers: ["a:1", "b:2"], servers: ["c:3"], scheduler: "" });
  const configs = tasks.map(
    ({ env }) =>
      JSON.parse(env["TF_CONFIG"] ?? "") as {
        readonly cluster: unknown;
        readonly task: unknown;
        readonly environment: string;
      },
  );
  for (const { cluster, environment } of configs) {
    assert.deepEqual(cluster, { master: ["a:1"], ps: ["c:3"], worker: ["b:2"] });
    assert.equal(environment, "cloud");
  }
  assert.deepEqual(
    configs.map(({ task }) => task),
    [
      { type: "master", index: 0 },
      { type: "worker", index: 0 },
      { type: "ps", index: 0 },
    ],
  );
  assert.deepEqual(
    tasks.map(({ isService }) => isService),
    [false, false, true],
  );
});

test("TensorFlow 2's processes have a chief, and no list of servers that is empty", () => {
  for (const release of ["tensorflow-2.20.0", undefined, "keras-3.1.0", "keras-2.13.1"]) {
    const tasks = localTasks({ framework: "tf", release }, { workers: 2, servers: 0 });
    assert.deepEqual(
      tasks.map(({ name }) => name),
      ["chief", "worker 0"],
    );
    for (const { env } of tasks) {
      const { cluster } = JSON.parse(env["TF_CONFIG"] ?? "") as { readonly cluster: unknown };
      assert.deepEqual(cluster, { chief: ["127.0.0.1:{port:0}"], worker: ["127.0.0.1:{port:1}"] });
    }
  }
});

test("MXNet's processes are workers, servers and one scheduler", () => {
  const tasks = localTasks({ framework: "mxnet" }, { workers: 2, servers: 0 });
  assert.deepEqual(
    tasks.map(({ env }) => env["DMLC_ROLE"]),
    ["worker", "worker", "server", "scheduler"],
  );
  for (const { env } of tasks)
    assert.deepEqual(
      [
        env["DMLC_PS_ROOT_URI"],
        env["DMLC_PS_ROOT_PORT"],
        env["DMLC_NUM_WORKER"],
        env["DMLC_NUM_SERVER"],
      ],
      ["127.0.0.1", "{port:3}", "2", "1"],
    );
});

test("Caffe starts its own processes", () => {
  assert.throws(() => localTasks({ framework: "caffe" }, { workers: 2, servers: 0 }), {
    code: "USAGE",
  });
});

test("the record of a run that is over says what made the files that it names, and other texts say nothing", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const record = {
    schemaVersion: 2,
    state: "ended",
    image: { name: "store:job-cpu:1", digest },
    command: ["python", "train.py"],
    exitCode: 0,
    metrics: {},
    files: { "model.onnx": digest, "other.onnx": "sha256:1" },
  };
  assert.deepEqual(parseProvenance(JSON.stringify(record)), {
    labels: {
      "dev.slipway.trained.image": "store:job-cpu:1",
      "dev.slipway.trained.digest": digest,
      "dev.slipway.trained.command": '["python","train.py"]',
    },
    made: new Set([digest]),
  });
  const labels = parseProvenance(JSON.stringify({ ...record, image: undefined }))?.labels;
  assert.deepEqual(Object.keys(labels ?? {}), ["dev.slipway.trained.command"]);
  for (const text of [
    ...["", "null", "[]", "{}", '{"schemaVersion":2,"state":"ended","command":[1]}'],
    JSON.stringify({ ...record, state: "running" }),
    JSON.stringify({ ...record, files: undefined }),
    JSON.stringify({ ...record, schemaVersion: 1 }),
  ])
    assert.equal(parseProvenance(text), undefined, text);
});
