import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import type { RunningServer } from "../../src/serving/server/index.ts";
import {
  assertGraphAnswer,
  sendGraphRequest,
  type GraphCase,
  type GraphExpectation,
} from "../support/graph/cases.ts";
import { startGraph } from "../support/graph/start-graph.ts";
import { startStub, type Stub } from "../support/graph/stub.ts";
import { pythonEnv } from "../support/python-env.ts";

// What Seldon's executor answered; see the README of the fixtures.
const CASES = JSON.parse(
  readFileSync(join(import.meta.dirname, "../fixtures/graph/cases.json"), "utf8"),
) as readonly GraphCase[];

test("the recording has cases of every kind", () => {
  assert.ok(CASES.length > 100, `${CASES.length} cases`);
  assert.ok(new Set(CASES.map(({ category }) => category)).size > 10);
});

/** Cases that one server can answer, one after the other. */
const groups = Map.groupBy(CASES, ({ graph, env = {}, isolate, id }) =>
  [graph, ...Object.keys(env), ...(isolate === true ? [id] : [])].join(" "),
);

describe("graphs, against the answers of Seldon's executor", { concurrency: 2 }, () => {
  for (const [name, cases] of groups)
    test(name, async (t) => {
      const environment = await pythonEnv(t, { packages: ["numpy"] });
      if (environment === undefined) return;
      await using stub = await startStub();
      const [{ graph, env } = { graph: "", env: undefined }] = cases;
      await using server = await startGraph(graph, {
        ...{ env, python: environment.python, stubPort: stub.port },
        ports: { http: 0 },
      });
      for (const one of cases) await t.test(one.id, (inner) => hold(inner, one, { server, stub }));
    });
});

async function hold(
  _: TestContext,
  one: GraphCase,
  { server, stub }: { readonly server: RunningServer; readonly stub: Stub },
): Promise<void> {
  const { port } = { port: server.ports.http };
  for (const { request, expect, times = 1 } of one.before ?? [])
    for (let count = 0; count < times; count += 1)
      assertGraphAnswer(expect, await sendGraphRequest(port, request));
  stub.seen.length = 0;
  const { share } = one.expect;
  if (share !== undefined) return holdShare(port, one, share);
  assertGraphAnswer(one.expect, await sendGraphRequest(port, one.request));
  const wanted = one.expect.stub;
  if (wanted === undefined) return;
  const seen = stub.seen.map(({ method, path }) => `${method} ${path}`);
  const order = (list: string[]): string[] =>
    one.expect.stub_any_order === true ? list.toSorted() : list;
  assert.deepEqual(order(seen), order(wanted.map(({ method, path }) => `${method} ${path}`)));
  if (one.expect.stub_any_order === true) return;
  for (const [index, { json, headers = {} }] of wanted.entries()) {
    const got = stub.seen[index];
    if (json !== undefined) assert.deepEqual(JSON.parse(got?.body ?? ""), json);
    for (const [header, value] of Object.entries(headers))
      assert.equal(got?.headers[header.toLowerCase()], value, header);
  }
}

async function holdShare(
  port: number,
  { request }: GraphCase,
  { path, times, values }: NonNullable<GraphExpectation["share"]>,
): Promise<void> {
  const counts = new Map<string, number>();
  for (let count = 0; count < times; count += 1) {
    const { body } = await sendGraphRequest(port, request);
    const found = path
      .split(".")
      .reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], JSON.parse(body));
    counts.set(String(found), (counts.get(String(found)) ?? 0) + 1);
  }
  for (const [value, [low, high]] of Object.entries(values)) {
    const count = counts.get(value) ?? 0;
    assert.ok(count >= low && count <= high, `${value} came ${count} times`);
  }
}
