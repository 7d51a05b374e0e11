import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sendGraphRequest, type GraphCase } from "../support/graph/cases.ts";
import { startGraph } from "../support/graph/start-graph.ts";
import { pythonEnv } from "../support/python-env.ts";
import { startGrpcClient, type GrpcAnswer, type GrpcClient } from "../support/seldon/grpc.ts";
import { CLASS_PACKAGES, WRAPPER_PACKAGES } from "../support/seldon/servers.ts";

const CASES = JSON.parse(
  readFileSync(join(import.meta.dirname, "../fixtures/graph/cases.json"), "utf8"),
) as readonly GraphCase[];

const GRAPHS = ["tmo", "combiner-tagged", "router", "fail-model", "fb-router"] as const;

const METHODS: Readonly<Record<string, readonly [method: string, type: string]>> = {
  "/api/v1.0/predictions": ["Predict", "SeldonMessage"],
  "/api/v1.0/feedback": ["SendFeedback", "Feedback"],
};

test("a graph answers Seldon's own stubs over gRPC as it answers over REST", async (t) => {
  const stubs = await pythonEnv(t, { packages: WRAPPER_PACKAGES });
  const classes = await pythonEnv(t, { packages: CLASS_PACKAGES });
  if (stubs === undefined || classes === undefined) return;
  let compared = 0;
  for (const graph of GRAPHS) {
    await using server = await startGraph(graph, {
      python: classes.python,
      ports: { http: 0, grpc: 0 },
    });
    await using client = await startGrpcClient({
      python: stubs.python,
      target: `127.0.0.1:${server.ports.grpc ?? 0}`,
    });
    for (const { id, request } of CASES.filter((one) => one.graph === graph)) {
      const [method, type] = METHODS[request.path] ?? [];
      if (method === undefined || type === undefined || request.json === undefined) continue;
      const rest = await sendGraphRequest(server.ports.http, request);
      const got = await client.call({ service: "Seldon", method, type, request: request.json });
      if (got.code === "INVALID_ARGUMENT") continue; // the stubs could not make the message
      compare(id, rest, got);
      compared += 1;
    }
    await asksForMetadata(client);
  }
  assert.ok(compared >= 8, `${compared} compared`);
});

function compare(id: string, rest: { status: number; body: string }, got: GrpcAnswer): void {
  if (rest.status !== 200) {
    assert.equal(got.code, "UNKNOWN", `${id}: ${got.details}`);
    assert.equal(got.trailers?.["seldon-status"], String(rest.status), id);
    return;
  }
  assert.equal(got.code, "OK", `${id}: ${got.details}`);
  if (id.startsWith("fb-")) return; // its classes count what they were asked
  const { data, meta } = JSON.parse(rest.body) as {
    readonly data?: unknown;
    readonly meta?: { readonly tags?: unknown };
  };
  const answer = got.answer as {
    readonly data?: unknown;
    readonly meta?: { readonly tags?: unknown };
  };
  assert.deepEqual(answer.data ?? {}, data ?? {}, id);
  assert.deepEqual(answer.meta?.tags ?? {}, meta?.tags ?? {}, id);
}

async function asksForMetadata(client: GrpcClient): Promise<void> {
  const { code, details } = await client.call({
    service: "Seldon",
    method: "ModelMetadata",
    type: "SeldonModelMetadataRequest",
    request: { name: "no-such-node" },
  });
  assert.deepEqual([code, /Failed to find model/.test(details)], ["UNKNOWN", true], details);
}
