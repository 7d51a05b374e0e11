import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { parseGraphFile, type ModelDescription } from "../../src/models/description/index.ts";
import { createLogger, serveGraph, type RunningServer } from "../../src/serving/server/index.ts";
import { pythonEnv } from "../support/python-env.ts";

// Nodes that follow each other share a process, and are asked in one go where that changes no answer.

const FOLDER = resolve(import.meta.dirname, "../fixtures/graph/components");
const CHAIN = `graph: { name: out, type: OUTPUT_TRANSFORMER, children: [
  { name: in, type: TRANSFORMER, children: [{ name: model, type: MODEL }] }] }`;
const FORK = `graph: { name: top, type: TRANSFORMER, children: [
  { name: join, type: COMBINER, children: [{ name: left, type: MODEL }, { name: right, type: MODEL }] }] }`;

interface Graph {
  readonly graph: string;
  /** Classes by the names of nodes. */
  readonly classes: Readonly<Record<string, string>>;
  readonly isolatesNodes?: boolean;
}

async function start(
  t: TestContext,
  python: string,
  { graph, classes, isolatesNodes = false }: Graph,
): Promise<RunningServer> {
  const text = `kind: SeldonDeployment
metadata: { name: pair }
spec: { predictors: [{ name: main, ${graph}, componentSpecs: [{ spec: { containers: [
  { name: model, image: "a:1", env: [{ name: OWN, value: model's }] }] } }] }] }`;
  const components = Object.entries(classes).map(([name, symbol]): [string, ModelDescription] => [
    name,
    {
      ...{ schemaVersion: 1, name, kind: "class", contract: "seldon", service: "MODEL" },
      ...{ codePath: FOLDER, ports: { http: 0 }, server: {} },
      code: { file: "processes.py", name: symbol, language: "python" },
      python: { executable: python, path: [] },
    },
  ]);
  const server = await serveGraph(
    await parseGraphFile(text, { file: "pair.yaml" }),
    new Map(components),
    {
      ...{ host: "127.0.0.1", ports: { http: 0 }, isolatesNodes },
      env: { PATH: process.env["PATH"], PYTHONDONTWRITEBYTECODE: "1" },
      log: createLogger({ write: () => undefined }),
    },
  );
  t.after(() => server.stop());
  return server;
}

async function predict(server: RunningServer, body: unknown): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${server.ports.http}/api/v1.0/predictions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return `${response.status} ${await response.text()}`;
}

/** What the nodes said of themselves: process, times that their module ran, own variable, id. */
async function placesOf(server: RunningServer): Promise<Record<string, readonly unknown[]>> {
  const text = await predict(server, { data: { ndarray: [[1, 2]] } });
  const { meta } = JSON.parse(text.slice(4)) as {
    readonly meta: { readonly tags: Record<string, readonly unknown[]> };
  };
  return meta.tags;
}

test("nodes in a row share a process and nothing else, branches have their own", async (t) => {
  const environment = await pythonEnv(t, { packages: ["numpy"] });
  if (environment === undefined) return;
  const { python } = environment;
  const row = { out: "Where", in: "Where", model: "Where" };
  const shared = await placesOf(await start(t, python, { graph: CHAIN, classes: row }));
  assert.deepEqual(Object.keys(shared).toSorted(), ["in", "model", "out"]);
  assert.equal(new Set(Object.values(shared).map(([pid]) => pid)).size, 1);
  for (const [name, [, count, own, unit]] of Object.entries(shared))
    assert.deepEqual([count, own, unit], [1, name === "model" ? "model's" : "", name]);

  const apart = await placesOf(
    await start(t, python, { graph: CHAIN, classes: row, isolatesNodes: true }),
  );
  assert.equal(new Set(Object.values(apart).map(([pid]) => pid)).size, 3);

  const fork = await placesOf(
    await start(t, python, {
      graph: FORK,
      classes: { top: "Where", join: "Joining", left: "Where", right: "Where" },
    }),
  );
  assert.equal(fork["top"]?.[0], fork["left"]?.[0]);
  assert.notEqual(fork["left"]?.[0], fork["right"]?.[0]);
});

const BODIES: readonly unknown[] = [
  ...Array.from({ length: 18 }, (_, kind) => ({ data: { ndarray: [[kind, 0.5]] } })),
  ...[0, 4, 13, 14].map((kind) => ({ data: { tensor: { shape: [1, 2], values: [kind, 0.5] } } })),
  { data: { names: ["a", "b"], ndarray: [[0.25, 1]] }, meta: { puid: "p", tags: { x: [1.0] } } },
  { data: { ndarray: [[20]] }, meta: { requestPath: { before: "b:1" }, metrics: [] } },
  { data: { ndarray: [[1, 2]] }, meta: { tags: "odd" } },
  { data: { ndarray: [[1, 2]] }, meta: { requestPath: [1] } },
  { data: { ndarray: [1.5, 2] } },
  { data: { ndarray: [] } },
  { data: { ndarray: [["a", 1]] } },
  ...[{ strData: "s" }, { jsonData: { a: [1] } }, { binData: "AAE=" }, {}, [], { data: 1 }],
];

test("an answer is the same whether its nodes share a process or not", async (t) => {
  const environment = await pythonEnv(t, { packages: ["numpy"] });
  if (environment === undefined) return;
  const { python } = environment;
  for (const classes of [
    { out: "Odd", in: "Odd", model: "Odd" },
    { out: "Changing", in: "Changing", model: "Named" },
    { out: "Whole", in: "Named", model: "Changing" },
    { out: "Named", in: "Whole", model: "Odd" },
  ]) {
    const shared = await start(t, python, { graph: CHAIN, classes });
    const apart = await start(t, python, { graph: CHAIN, classes, isolatesNodes: true });
    for (const body of BODIES)
      assert.equal(
        await predict(shared, body),
        await predict(apart, body),
        JSON.stringify([classes, body]),
      );
    const [mine, theirs] = await Promise.all([shared, apart].map(countsOf));
    assert.deepEqual(mine, theirs);
  }
});

/** What was counted of nodes: calls by node and status, and the nodes' own counters. */
async function countsOf({ ports }: RunningServer): Promise<readonly string[]> {
  const page = await (await fetch(`http://127.0.0.1:${ports.http}/metrics`)).text();
  return page
    .split("\n")
    .filter((line) => /^seldon_api_executor_client_requests_seconds_count|^named/.test(line))
    .toSorted();
}
