import assert from "node:assert/strict";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import { pythonEnv } from "../support/python-env.ts";
import { startGrpcClient, startOurGrpc } from "../support/seldon/grpc.ts";
import { CLASS_PACKAGES, WRAPPER_PACKAGES } from "../support/seldon/servers.ts";
import { startEntry } from "./serve-support.ts";

const TOOLS = join(import.meta.dirname, "../support/seldon/tools.py");

/** Interpreters of the client side, with Seldon's own package, and of the class side, without it. */
async function interpreters(
  t: TestContext,
): Promise<{ readonly client: string; readonly classes: string } | undefined> {
  const [wrapper, classes] = [
    await pythonEnv(t, { packages: WRAPPER_PACKAGES }),
    await pythonEnv(t, { packages: CLASS_PACKAGES }),
  ];
  return wrapper === undefined || classes === undefined
    ? undefined
    : { client: wrapper.python, classes: classes.python };
}

test("tools that know no .proto file find the services by reflection, and call them", async (t) => {
  const python = await interpreters(t);
  if (python === undefined) return;
  await using server = await startOurGrpc({ name: "Echo" }, python.classes);
  const { stdout } = await run([python.client, TOOLS, "reflection", `127.0.0.1:${server.grpc}`]);
  const found = JSON.parse(stdout.toString()) as {
    methods: Record<string, string[]>;
    answer: unknown;
  };
  assert.deepEqual(found.answer, {
    data: { names: ["t:0"], tensor: { shape: [1, 1], values: [2.5] } },
    meta: { tags: { k: "v" } },
  });
  assert.deepEqual(Object.keys(found.methods), [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "inference.GRPCInferenceService",
    ...["Combiner", "Generic", "Model", "OutputTransformer", "Router", "Seldon", "Transformer"].map(
      (name) => `seldon.protos.${name}`,
    ),
    ...["ModelService", "PredictionService"].map((name) => `tensorflow.serving.${name}`),
  ]);
  assert.deepEqual(found.methods["seldon.protos.Generic"], [
    "Aggregate",
    "Route",
    "SendFeedback",
    "TransformInput",
    "TransformOutput",
  ]);
  assert.deepEqual(found.methods["seldon.protos.Seldon"], [
    "GraphMetadata",
    "ModelMetadata",
    "Predict",
    "SendFeedback",
  ]);
});

test("Seldon's own client gets the same answers over REST and gRPC", async (t) => {
  const python = await interpreters(t);
  if (python === undefined) return;
  await using server = await startOurGrpc({ name: "Full" }, python.classes);
  const { stdout } = await run([
    python.client,
    TOOLS,
    "client",
    `127.0.0.1:${server.http}`,
    `127.0.0.1:${server.grpc}`,
  ]);
  const found = JSON.parse(stdout.toString()) as Record<
    "rest" | "grpc",
    Record<string, readonly [isSuccess: boolean, answer: unknown, why: string]>
  >;
  for (const transport of ["rest", "grpc"] as const) {
    const answers = found[transport];
    for (const [name, [isSuccess, , why]] of Object.entries(answers))
      assert.ok(isSuccess, `${transport} ${name}: ${why}`);
    const part = (name: string, key: string): unknown =>
      (answers[name]?.[1] as Record<string, unknown> | undefined)?.[key];
    assert.deepEqual(part("predict", "data"), {
      names: ["one", "two"],
      tensor: { shape: [2, 2], values: [1, 2, 3, 4] },
    });
    assert.deepEqual(part("ndarray", "data"), {
      names: ["one", "two"],
      ndarray: [
        [1, 2],
        [3, 4],
      ],
    });
    assert.deepEqual(part("route", "data"), {
      names: ["one", "two"],
      tensor: { shape: [1, 1], values: [1] },
    });
    assert.deepEqual(part("transform-input", "data"), part("predict", "data"));
    assert.equal(part("text", "strData"), "words");
    assert.equal(part("bytes", "binData"), "AAE=");
    assert.deepEqual(part("json", "jsonData"), { a: [1] });
    assert.equal(answers["large"]?.[1], 100_000);
  }
});

test("the entry of images serves both, counts calls, and ends without a loss", async (t) => {
  const python = await interpreters(t);
  const served =
    python === undefined
      ? undefined
      : await startEntry(t, {
          source: "class Model:\n    def predict(self, X, names, meta=None):\n        return X\n",
          args: ["--grpc-workers", "1", "--grpc-port", "0"],
        });
  if (python === undefined || served === undefined) return;
  await using entry = served;
  const { ports } = (await entry.line(({ msg }) => msg === "ready")) as unknown as {
    readonly ports: { readonly grpc: number };
  };
  await using client = await startGrpcClient({
    python: python.client,
    target: `127.0.0.1:${ports.grpc}`,
  });
  const call = { service: "Model", method: "Predict", type: "SeldonMessage" } as const;
  assert.deepEqual((await client.call({ ...call, request: { strData: "x" } })).answer, {
    meta: {},
    strData: "x",
  });
  assert.equal((await client.call({ ...call, request: {} })).code, "UNKNOWN");
  const page = await fetch(`${entry.metricsUrl}/metrics`).then((response) => response.text());
  const counts = page
    .split("\n")
    .filter(
      (line) =>
        line.startsWith("seldon_api_executor_server_requests_seconds_count") &&
        line.includes('method="unary"'),
    );
  assert.deepEqual(
    counts.map((line) => [/code="(\w+)"/.exec(line)?.[1], line.split(" ").at(-1)]),
    [
      ["OK", "1.0"],
      ["UNKNOWN", "1.0"],
    ],
  );
  entry.child.kill("SIGTERM");
  assert.deepEqual(await entry.ended, { code: 0, signal: null });
});

test("the id of a call is its own puid, else the one that came with it, else one made up", async (t) => {
  const python = await interpreters(t);
  if (python === undefined) return;
  await using server = await startOurGrpc({ name: "Echo" }, python.classes);
  await using client = await startGrpcClient({
    python: python.client,
    target: `127.0.0.1:${server.grpc}`,
  });
  const call = {
    service: "Model",
    method: "Predict",
    type: "SeldonMessage",
    request: { strData: "x" },
  } as const;
  const named = await client.call({ ...call, metadata: { "seldon-puid": "from-metadata" } });
  assert.equal(named.headers?.["seldon-puid"], "from-metadata");
  assert.equal(
    (await client.call({ ...call, request: { strData: "x", meta: { puid: "own" } } })).headers?.[
      "seldon-puid"
    ],
    "own",
  );
  assert.match((await client.call(call)).headers?.["seldon-puid"] ?? "", /^[\w-]+$/);
});
