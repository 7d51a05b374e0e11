import assert from "node:assert/strict";
import { test } from "node:test";
import type { GraphFile } from "./graph-file.ts";
import { parseGraphFile } from "./parse-graph-file.ts";

const HEAD = `apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata: { name: d, namespace: ns }
spec:
`;

function parse(spec: string, predictor?: string): Promise<GraphFile> {
  return parseGraphFile(HEAD + spec, { file: "g.yaml", predictor });
}

test("a graph is read with its parameters, images, variables and annotations", async () => {
  const graph = await parse(`  annotations: { seldon.io/rest-timeout: "500" }
  predictors:
    - name: p
      labels: { version: v1 }
      svcOrchSpec: { env: [{ name: SWITCH, value: "1" }] }
      componentSpecs:
        - spec:
            containers:
              - { name: r, image: "example/r:0.1", env: [{ name: A, value: b }, { name: S, valueFrom: {} }] }
      graph:
        name: r
        type: ROUTER
        children:
          - name: a
            parameters: [{ name: n, value: "1", type: INT }]
          - name: b
            methods: [TRANSFORM_INPUT]
            endpoint: { service_host: far, service_port: 9000, httpPort: 9001, grpcPort: 9002 }
`);
  assert.deepEqual(graph, {
    deployment: "d",
    namespace: "ns",
    predictor: "p",
    version: "v1",
    annotations: { "seldon.io/rest-timeout": "500" },
    env: { SWITCH: "1" },
    root: {
      name: "r",
      type: "ROUTER",
      methods: [],
      parameters: [],
      image: "example/r:0.1",
      env: { A: "b" },
      children: [
        {
          name: "a",
          type: "MODEL",
          methods: [],
          parameters: [{ name: "n", value: "1", type: "INT" }],
          children: [],
          env: {},
        },
        {
          name: "b",
          methods: ["TRANSFORM_INPUT"],
          parameters: [],
          endpoint: { host: "far", httpPort: 9001, grpcPort: 9002 },
          children: [],
          env: {},
        },
      ],
    },
  });
});

const TWO = `  predictors:
    - { name: main, graph: { name: a } }
    - { name: canary, graph: { name: b } }
`;

test("of several predictors one must be named", async () => {
  await assert.rejects(parse(TWO), /more than one predictor/);
  await assert.rejects(parse(TWO, "other"), /no predictor is called "other"/);
  assert.equal((await parse(TWO, "canary")).root.name, "b");
});

function graph(text: string): string {
  return `  predictors: [{ name: p, graph: ${text} }]\n`;
}

for (const [what, text, why] of [
  ["no name", "{ type: MODEL }", /the node has no name/],
  ["an unknown type", "{ name: a, type: MODLE }", /got "MODLE", want one of/],
  ["an unknown method", "{ name: a, methods: [JUMP] }", /methods\[0\]: got "JUMP"/],
  ["two nodes of one name", "{ name: a, children: [{ name: a }] }", /two nodes are called "a"/],
  ["a number as a value", "{ name: a, parameters: [{ name: n, value: 1 }] }", /value: want a text/],
  ["a parameter without a value", "{ name: a, parameters: [{ name: n }] }", /"value" is missing/],
  ["children that are no list", "{ name: a, children: { name: b } }", /children: want a list/],
  [
    "a host that is none",
    '{ name: a, endpoint: { service_host: "x/y@z", httpPort: 80 } }',
    /"x\/y@z" is no host/,
  ],
  [
    "a port that is none",
    "{ name: a, endpoint: { service_host: x, httpPort: 0 } }",
    /httpPort: want a port/,
  ],
] as const) {
  test(`a graph with ${what} is refused with its place`, async () => {
    await assert.rejects(parse(graph(text)), (error: Error) => {
      assert.match(error.message, why);
      assert.match(error.message, /^read "g.yaml" line 5/);
      return true;
    });
  });
}

test("a graph that is too deep or too wide is refused", async () => {
  const deep = "{ name: a0, children: [".concat(
    ...Array.from({ length: 60 }, (_, level) => `{ name: a${level + 1}, children: [`),
    "]}".repeat(61),
  );
  await assert.rejects(parse(graph(deep)), /deeper than 50 levels/);
  const wide = Array.from({ length: 600 }, (_, index) => `{ name: c${index} }`).join(", ");
  await assert.rejects(parse(graph(`{ name: a, children: [${wide}] }`)), /more than 500 nodes/);
});

test("another kind of object is refused", async () => {
  await assert.rejects(
    parseGraphFile("kind: Deployment\nmetadata: { name: d }\nspec: {}\n", { file: "g.yaml" }),
    /kind: got "Deployment", want one of SeldonDeployment/,
  );
});
