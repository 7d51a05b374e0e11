import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommandName } from "../app/index.ts";
import { createCommand, type ReadWords } from "./create-command.ts";

const CONTEXT = { cwd: "/work", environment: { HOME: "/h" } };

async function read(name: CommandName, args: readonly string[]): Promise<ReadWords> {
  const read: ReadWords[] = [];
  const command = await createCommand(
    name,
    () => CONTEXT,
    async (words) => void read.push(words),
  );
  await command.parseAsync([...args], { from: "user" });
  const [words] = read;
  assert.ok(words);
  return words;
}

const CASES: readonly (readonly [CommandName, readonly string[], object])[] = [
  ["init", [], { folder: "." }],
  ["push", ["a"], { name: "a" }],
  ["push", ["a", "h/b:1"], { name: "a", to: "h/b:1" }],
  [
    "pack",
    ["./iris", "-t", "a", "--tag", "b", "--platform", "linux/amd64,linux/arm64", "-e", "A=b=c"],
    {
      folder: "./iris",
      names: ["a", "b"],
      platforms: ["linux/amd64", "linux/arm64"],
      env: { A: "b=c" },
    },
  ],
  ["build", ["--no-cache"], { folder: ".", usesCache: false }],
  ["build", [], { folder: ".", usesCache: true }],
  ["serve", [], { host: "127.0.0.1", ports: {}, apiType: "both", env: {} }],
  [
    "serve",
    ["--http-port", "0", "--metrics-port", "6001", "-e", "HOME", "-e", "NONE", "--watch"],
    {
      host: "127.0.0.1",
      ports: { http: 0, metrics: 6001 },
      apiType: "both",
      env: { HOME: "/h" },
      isWatched: true,
    },
  ],
  [
    "run",
    ["store:iris", "-p", "80:9000", "-v", "data:/data:ro", "--timeout", "3"],
    {
      name: "store:iris",
      ports: [{ hostPort: 80, containerPort: 9000 }],
      mounts: [{ source: "/work/data", target: "/data", readOnly: true }],
      env: {},
      timeoutMs: 3000,
    },
  ],
  [
    "base",
    ["debian", "--name", "b", "--include", "a, b", "--include", "c"],
    {
      name: "b",
      include: ["a", "b", "c"],
    },
  ],
  [
    "train",
    ["split", "data", "f", "parts"],
    {
      folder: "/work/data",
      file: "f",
      target: "/work/parts",
      partBytes: 128 * 2 ** 20,
    },
  ],
  [
    "train",
    ["run", "--nproc", "2", "--", "--epochs", "3"],
    {
      processes: 2,
      parameters: ["--epochs", "3"],
      env: {},
    },
  ],
  ["seldon-core-microservice", ["M", "--workers", "2"], { words: ["M", "--workers", "2"] }],
];

for (const [name, args, request] of CASES)
  test(`slipway ${name} ${args.join(" ")}`, async () => {
    assert.deepEqual((await read(name, args)).request, request);
  });

test("an old tool's flags are taken with - and with _, and the last of several counts", async () => {
  const { request, name } = await read("packdocker", [
    ...["keras", "--main-class", "A", "--main_module", "m", "--main_module=n", "--num_epoch", "3"],
    ...["--test", "a.png", "--test-timeout", "7", "--no-push"],
  ]);
  assert.equal(name, "packdocker keras");
  assert.deepEqual(request, {
    framework: "keras",
    values: { main_class: "A", main_module: "n", num_epoch: "3" },
    isPush: false,
    test: { files: ["a.png"], engine: undefined, timeoutMs: 7000 },
  });
});

test("how registries are reached, and who one is there, stands apart from the request", async () => {
  const words = await read("copy", [
    ...["store:a", "h.example.com/a", "--ca-file", "ca.pem", "--chunk-size", "4"],
    ...["--registry-mirror", "x=y", "--username", "mia", "--password-stdin"],
  ]);
  assert.deepEqual(words.request, { from: "store:a", to: "h.example.com/a" });
  assert.deepEqual(words.reach, { caFile: "ca.pem", mirrors: ["x=y"], chunkBytes: 4 * 2 ** 20 });
  assert.deepEqual(words.login, { username: "mia", isPasswordOnStdin: true });
  assert.deepEqual(words.loginNames, ["store:a", "h.example.com/a"]);
});

test("the command that is meant when none is named reads an exporter's job", async () => {
  const { name, request } = await read("export", [
    ...["/x/export_inference_graph.py", "--pipeline_config_path", "p", "--output_directory", "/o"],
    ...["--trained_checkpoint_prefix", "c", "--num_gpus", "1", "--input_shape", ""],
  ]);
  assert.equal(name, "export inference-graph");
  assert.deepEqual(request, {
    job: {
      source: "c",
      pipelineConfig: "p",
      output: "/o/frozen_inference_graph.pb",
      savedModel: "/o/saved_model",
      inputType: "image_tensor",
      pipelineCopy: "/o/pipeline.config",
    },
  });
});
