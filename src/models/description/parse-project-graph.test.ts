import assert from "node:assert/strict";
import { test } from "node:test";
import { nodesOf, parseProjectFile } from "./index.ts";

const GRAPH = `graph:
  name: choose
  type: OUTLIER_DETECTOR
  code: Choose.py:Choose
  image: registry.example.com/choose:v1
  env: { A: b }
  children:
    - { name: one, code: ./one, parameters: [{ name: n, value: "1", type: INT }] }
    - { name: far, endpoint: { service_host: far.example.com, service_port: 9000 } }
`;

test("nodes are read as in a SeldonDeployment, each with its code, image and variables", async () => {
  const { graph } = await parseProjectFile(GRAPH);
  assert.ok(graph !== undefined);
  const [root, one, far] = nodesOf(graph.root);
  assert.deepEqual(
    [root?.type, root?.image, root?.env],
    ["TRANSFORMER", "registry.example.com/choose:v1", { A: "b" }],
  );
  assert.deepEqual(one?.parameters, [{ name: "n", value: "1", type: "INT" }]);
  assert.deepEqual(far?.endpoint, { host: "far.example.com", httpPort: 9000 });
  assert.deepEqual(
    [...graph.sources],
    [
      ["choose", { place: "Choose.py:Choose", service: "OUTLIER_DETECTOR" }],
      ["one", { place: "./one" }],
      ["far", {}],
    ],
  );
});

const WRONG: readonly (readonly [string, string, RegExp])[] = [
  ["a key that no node has", GRAPH.replace("  image:", "  imagge:"), /did you mean "image"|imagge/],
  ["a node without a name", "graph: { type: MODEL }", /the node has no name/],
  ["two nodes of one name", GRAPH.replace("name: far", "name: one"), /two nodes are called "one"/],
  ["a type that there is not", GRAPH.replace("OUTLIER_DETECTOR", "MODLE"), /want one of/],
  ["a variable that is no text", GRAPH.replace("{ A: b }", "{ A: 1 }"), /want a text/],
  ["children that are no list", GRAPH.replace(/children:[^]*/, "children: 3"), /want a list/],
  ["a node that is no object", "graph: { name: a, children: [b] }", /want keys and values/],
];
for (const [what, text, message] of WRONG)
  test(`${what} is refused with its place`, () =>
    assert.rejects(parseProjectFile(text), { code: "PROJECT_INVALID", message }));

test("a graph without end is refused before it is walked", async () => {
  const deep = `${"{name: a, children: [".repeat(80)}${"]}".repeat(80)}`;
  await assert.rejects(parseProjectFile(`graph: ${deep}`), { code: "PROJECT_INVALID" });
});
