import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRouteTable } from "./routes.ts";

const PATTERNS = [
  "/v2",
  "/v2/models/{name}",
  "/v2/models/ready",
  "/v2/models/{name}/infer",
  "/v2/models/{name}/versions/{version}/infer",
  "/v1/models/{name}:predict",
  "/v1/models/{name}",
  "/files/{name}.json",
];
const table = createRouteTable(new Map(PATTERNS.map((pattern) => [pattern, pattern])));

for (const [path, route, params] of [
  ["/v2", "/v2", {}],
  ["/v2/models/iris", "/v2/models/{name}", { name: "iris" }],
  ["/v2/models/ready", "/v2/models/ready", {}],
  ["/v2/models/ready/infer", "/v2/models/{name}/infer", { name: "ready" }],
  [
    "/v2/models/iris/versions/3/infer",
    "/v2/models/{name}/versions/{version}/infer",
    { name: "iris", version: "3" },
  ],
  ["/v1/models/iris:predict", "/v1/models/{name}:predict", { name: "iris" }],
  ["/v1/models/a:b:predict", "/v1/models/{name}:predict", { name: "a:b" }],
  ["/v1/models/iris:explain", "/v1/models/{name}", { name: "iris:explain" }],
  ["/v2/models/a%2Fb%20c/infer", "/v2/models/{name}/infer", { name: "a/b c" }],
  ["/v2/models/__proto__/infer", "/v2/models/{name}/infer", { name: "__proto__" }],
  ["/files/a.json", "/files/{name}.json", { name: "a" }],
  ["/files/axjson", undefined, undefined],
  ["/v2/models/%ff/infer", undefined, undefined],
  ["/v2/models//infer", undefined, undefined],
  ["/v2/models/a/b/infer", undefined, undefined],
  ["/v2/", undefined, undefined],
  ["", undefined, undefined],
  ["*", undefined, undefined],
] as const)
  test(`"${path}" leads to ${route ?? "nothing"}`, () => {
    const found = table.find(path);
    assert.deepEqual([found?.route, found && { ...found.params }], [route, params]);
  });

test("a value that is put into a pattern comes out of it again", () => {
  const value = fc.string({ unit: "grapheme", minLength: 1 });
  fc.assert(
    fc.property(value, value, (name, version) => {
      const path = `/v2/models/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}/infer`;
      assert.deepEqual({ ...table.find(path)?.params }, { name, version });
    }),
  );
});

test("patterns that cannot be read are a mistake at the start", () => {
  for (const pattern of ["/a/{b}{c}", "/a/{b", "/a/{1}", "/a/{}"])
    assert.throws(() => createRouteTable(new Map([[pattern, 1]])), /cannot be read/);
});

test("a long path costs no more than its length", () => {
  const path = `/v1/models/${":predict".repeat(2000)}x`;
  const begin = performance.now();
  for (let turn = 0; turn < 100; turn += 1) table.find(path);
  assert.ok(performance.now() - begin < 2000);
});
