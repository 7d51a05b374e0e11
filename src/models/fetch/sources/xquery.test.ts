import assert from "node:assert/strict";
import { test } from "node:test";
import { parseModelUri, sourceFromEnvironment } from "./model-source.ts";

const hrefOf = (env: Readonly<Record<string, string>>): string => {
  const source = sourceFromEnvironment(env);
  return source?.kind === "url" ? source.request.url.href : "";
};

for (const [name, env, href] of [
  [
    "an address alone",
    { XQUERY_ADDR: "store:8080", MODEL_ID: "a b" },
    "http://store:8080/?model_id=a%20b",
  ],
  [
    "an address with scheme and path",
    { XQUERY_ADDR: "https://s/x/get", MODEL_ID: "1", GUID: "g" },
    "https://s/x/get?model_id=1&guid=g",
  ],
  [
    "an address with a query",
    { XQUERY_ADDR: "s/get?a=1", MODEL_ID: "1" },
    "http://s/get?a=1&model_id=1",
  ],
  [
    "a template",
    {
      XQUERY_ADDR: "s",
      MODEL_ID: "1/2",
      MODEL_URL_TEMPLATE: "{XQUERY_ADDR}/m/{MODEL_ID}/{MODEL_VERSION}.zip",
    },
    "http://s/m/1%2F2/.zip",
  ],
  [
    "a template of other variables",
    { MODEL_URL_TEMPLATE: "https://h/{TEAM}?v={V}&w=1", TEAM: "t" },
    "https://h/t?w=1",
  ],
] as const)
  test(`${name} makes the store's URL`, () => assert.equal(hrefOf(env), href));

test("nothing is fetched where nothing is named", () => {
  assert.equal(sourceFromEnvironment({ MODEL_ID: "1", HOSTS: "" }), undefined);
});

for (const env of [
  { XQUERY_ADDR: "s" },
  { XQUERY_ADDR: "ftp://s", MODEL_ID: "1" },
  { XQUERY_ADDR: "s", MODEL_ID: "1", MODEL_URL_METHOD: "PUT" },
  { XQUERY_ADDR: "s", MODEL_ID: "1", MODEL_URL_HEADERS: "no header" },
  { MODEL_URI: "ftp://x" },
  { MODEL_URI: "s3://" },
  { MODEL_URI: "hf://alone" },
  { MODEL_URI: "hf://a/../b" },
  { MODEL_URI: "file://other/x" },
  { MODEL_URI: "oci://" },
])
  test(`${JSON.stringify(env)} is refused`, () => {
    assert.throws(() => sourceFromEnvironment(env), { code: "USAGE" });
  });

test("URIs of every scheme are read", () => {
  assert.deepEqual(parseModelUri("s3://b.c/a/b c", {}), {
    kind: "s3",
    bucket: "b.c",
    key: "a/b c",
  });
  assert.deepEqual(parseModelUri("hf://o/n@v1.0/x/y", {}), {
    kind: "hub",
    repository: "o/n",
    revision: "v1.0",
    path: "x/y",
  });
  assert.deepEqual(parseModelUri("oci://h:1/r:t", {}), { kind: "image", name: "h:1/r:t" });
  assert.deepEqual(parseModelUri("file:///a%20b", {}), { kind: "file", path: "/a b" });
});
