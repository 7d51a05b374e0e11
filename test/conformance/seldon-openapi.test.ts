import assert from "node:assert/strict";
import { test } from "node:test";
import { pythonEnv } from "../support/python-env.ts";
import { CLASS_PACKAGES, startOurs } from "../support/seldon/servers.ts";
import { get, send } from "../support/seldon/wire.ts";

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

test("every path of the OpenAPI document answers, with the methods it names and no other", async (t) => {
  const environment = await pythonEnv(t, { packages: CLASS_PACKAGES });
  if (environment === undefined) return;
  await using server = await startOurs({ name: "Echo" }, environment.python);
  const answer = await send(server.http, get("/seldon.json"));
  assert.deepEqual([answer.status, answer.type], [200, "application/json"]);
  const document = JSON.parse(answer.body) as Document;
  assert.equal(document.openapi, "3.0.0");
  assert.ok(Object.keys(document.paths).length > 12);
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const method of ["GET", "POST"]) {
      const { status } = await send(server.http, { method, path });
      assert.equal(
        status === 405,
        !(method.toLowerCase() in operations),
        `${method} ${path}: ${status}`,
      );
      assert.notEqual(status, 404, path);
    }
  }
  const names = [...answer.body.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
    ([, name = ""]) => name,
  );
  assert.deepEqual(
    [...new Set(names)].filter((name) => !(name in document.components.schemas)),
    [],
    "every schema that is referred to is there",
  );
});
