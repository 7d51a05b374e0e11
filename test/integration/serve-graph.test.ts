import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { pythonEnv } from "../support/python-env.ts";
import { type PackPlace, packPlace } from "../support/pack-place.ts";

const GRAPH = `kind: SeldonDeployment
metadata: { name: pair }
spec:
  predictors:
    - name: main
      graph:
        name: twice
        type: TRANSFORMER
        children:
          - { name: add, type: MODEL, parameters: [{ name: amount, value: "5", type: INT }] }
`;
const TWICE = "class Twice:\n    def transform_input(self, X, names):\n        return X * 2\n";
const ADD =
  "class Add:\n    def __init__(self, amount):\n        self.amount = amount\n\n    def predict(self, X, names):\n        return X + self.amount\n";

/** Writes a graph of a class and a project's folder. */
async function writeGraph(
  { root }: PackPlace,
  components: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(join(root, "add"));
  await writeFile(join(root, "pair.yaml"), GRAPH);
  await writeFile(join(root, "components.json"), JSON.stringify(components));
  await writeFile(join(root, "Twice.py"), TWICE);
  await writeFile(join(root, "add/Add.py"), ADD);
  await writeFile(join(root, "add/slipway.yaml"), "code: Add.py:Add\n");
}

test("slipway serve --graph runs a class and a folder as one graph, and ends with a signal", async (t) => {
  const environment = await pythonEnv(t, { packages: ["numpy"] });
  if (environment === undefined) return;
  const user = await packPlace(t, { isBare: true });
  await writeGraph(user, { twice: "Twice.py:Twice", add: "add" });
  const child = user.start(
    ...[
      ...["serve", "--graph", "pair.yaml", "--components", "components.json", "--json"],
      ...["--http-port", "0", "--python", environment.python],
    ],
  );
  const { url } = JSON.parse(await readyLine(child)) as { readonly url: string };
  const response = await fetch(`${url}/api/v1.0/predictions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"data":{"ndarray":[[1,10]]}}',
  });
  const answer = (await response.json()) as { readonly data: unknown };
  assert.deepEqual(answer.data, { names: ["t:0", "t:1"], ndarray: [[7, 25]] });
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const [code] = (await gone) as [number | null];
  assert.ok(code === 0 || code === 130, String(code));
});

/** The line that says where it answers. */
async function readyLine(child: ReturnType<PackPlace["start"]>): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      if (line.startsWith("{") && line.includes('"url"')) resolve(line);
    });
  }
  child.once("exit", () => reject(new Error(`it ended: ${lines.join("\n")}`)));
  return promise;
}

for (const [what, components, words, why] of [
  ["a node without code", { twice: "Twice.py:Twice" }, [], /node "add" has neither a component/],
  ["code for no node", { ad: "add", twice: "Twice.py:Twice" }, [], /no node "ad"/],
  [
    "a flag of a single model",
    { twice: "Twice.py:Twice", add: "add" },
    ["--watch"],
    /--watch is for a single model/,
  ],
  [
    "a predictor that is not there",
    {},
    ["--predictor", "canary"],
    /no predictor is called "canary"/,
  ],
] as const) {
  test(`${what} is refused before anything starts`, async (t) => {
    const user = await packPlace(t, { isBare: true });
    await writeGraph(user, components);
    const { exitCode, stderr } = await user.run([
      ...["serve", "--graph", "pair.yaml", "--components", "components.json", "--http-port", "0"],
      ...words,
    ]);
    assert.ok(exitCode === 2 || exitCode === 3, stderr);
    assert.match(stderr, why);
  });
}

test("a folder whose project file has a graph is served as the graph", async (t) => {
  const environment = await pythonEnv(t, { packages: ["numpy"] });
  if (environment === undefined) return;
  const user = await packPlace(t, { isBare: true });
  await writeGraph(user, {});
  await writeFile(
    join(user.root, "slipway.yaml"),
    [
      "name: pair",
      "graph:",
      "  name: twice",
      "  type: OUTLIER_DETECTOR",
      "  code: Twice.py:Twice",
      "  children:",
      '    - { name: add, code: ./add, parameters: [{ name: amount, value: "5", type: INT }] }',
    ].join("\n"),
  );
  const child = user.start(
    ...[...["serve", ".", "--json", "--http-port", "0", "--python", environment.python]],
  );
  const { url } = JSON.parse(await readyLine(child)) as { readonly url: string };
  const response = await fetch(`${url}/api/v1.0/predictions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"data":{"ndarray":[[1,10]]}}',
  });
  const answer = (await response.json()) as { readonly data: unknown };
  assert.deepEqual(answer.data, { names: ["t:0", "t:1"], ndarray: [[7, 25]] });
});
