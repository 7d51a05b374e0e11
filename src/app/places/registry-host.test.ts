import assert from "node:assert/strict";
import { test } from "node:test";
import { registryHostOf } from "./registry-host.ts";

const usage = { code: "USAGE" };

test("hosts of registries are taken as people write them", () => {
  assert.equal(registryHostOf("https://index.docker.io/v1/"), "docker.io");
  assert.equal(registryHostOf("Registry.Example.com/"), "registry.example.com");
  assert.equal(registryHostOf("http://localhost:5000"), "localhost:5000");
  assert.equal(registryHostOf("[::1]:5000"), "[::1]:5000");
  for (const text of ["", "a b", "user:pass@host", "-x"])
    assert.throws(() => registryHostOf(text), usage, text);
});
