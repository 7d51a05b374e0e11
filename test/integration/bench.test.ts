import assert from "node:assert/strict";
import { copyFile, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { createSession, bench, type BenchRequest, type BenchResult } from "../../src/app/index.ts";
import { createLogger, serveModel } from "../../src/serving/server/index.ts";
import { packPlace } from "../support/pack-place.ts";

const FOLDER = resolve(import.meta.dirname, "../fixtures/onnx");

async function measured(request: Omit<BenchRequest, "target">): Promise<BenchResult> {
  await using server = await serveModel(
    {
      ...{ schemaVersion: 1, name: "digit", kind: "onnx", contract: "kserve", service: "MODEL" },
      ...{ modelPath: join(FOLDER, "digit28.onnx"), codePath: FOLDER },
      ...{ ports: { http: 0 }, server: {} },
    },
    { host: "127.0.0.1", log: createLogger({ level: "fatal", write: () => undefined }) },
  );
  const session = createSession({ environment: process.env });
  return await bench({ target: `http://127.0.0.1:${server.ports.http}`, ...request }, session);
}

const SHORT = { warmUpMs: 50, durationMs: 300 };

test("a closed load is raised until more brings nothing, and the best within the limit is chosen", async () => {
  const { runs, best, proposal, protocol } = await measured({ ...SHORT, p99LimitMs: 10_000 });
  assert.equal(protocol, "v2");
  assert.ok(runs.length >= 2 && best !== undefined);
  assert.deepEqual(
    runs.map(({ load }) => load.kind === "closed" && load.connections),
    runs.map((_, at) => 2 ** at),
  );
  assert.ok(runs.every((run) => run.failures === 0 && run.requests > 0));
  assert.equal(best.requestsPerSecond, Math.max(...runs.map((run) => run.requestsPerSecond)));
  for (const { percentiles } of runs)
    assert.ok(percentiles.p50 <= percentiles.p95 && percentiles.p99 <= percentiles.max);
  assert.ok(proposal.workers >= 1 && proposal.reasons.length > 0);
  const none = await measured({ ...SHORT, connections: 1, p99LimitMs: 0.0001 });
  assert.deepEqual([none.runs.length, none.best], [1, undefined]);
});

test("an open load sends what is due, and counts from then", async () => {
  const { runs } = await measured({ warmUpMs: 0, durationMs: 1000, rate: 50 });
  const [run] = runs;
  assert.ok(run !== undefined && runs.length === 1);
  assert.ok(run.requests >= 40 && run.requests <= 51, `${run.requests} requests`);
});

test("the command prints a table and writes a report that needs nothing beside itself", async (t) => {
  const user = await packPlace(t, { isBare: true });
  await copyFile(join(FOLDER, "digit28.onnx"), join(user.root, "digit28.onnx"));
  const report = join(user.root, "report.html");
  const { stdout, stderr, exitCode } = await user.run([
    ...["bench", user.root, "--connections", "2", "--duration", "1", "--warm-up", "0"],
    ...["--report", report],
  ]);
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /load +requests\/s +p50 +p90 +p95 +p99 +max +failed\n2 connections +\d+/);
  assert.match(stdout, /workers: \d+/);
  const page = await readFile(report, "utf8");
  assert.match(page, /2 connections[^]*<svg[^]*<path/);
  assert.doesNotMatch(page, /https?:|<script/);
});
