import assert from "node:assert/strict";
import { test } from "node:test";
import { allowedHosts } from "./allowed-hosts.ts";

test("a server on the loopback takes names of the loopback, addresses, and names that it was given", () => {
  const allows = allowedHosts("127.0.0.1", ["models.test"]);
  for (const host of [
    "localhost:9000",
    "a.localhost",
    "127.0.0.1:9000",
    "[::1]:9000",
    "Models.test:1",
  ])
    assert.equal(allows?.(host), true, host);
  for (const host of [
    "evil.example",
    "evil.example:9000",
    "localhost.evil.example",
    "",
    "127.0.0.1.nip.io",
  ])
    assert.equal(allows?.(host), false, host);
});

test("a server on any other address takes all", () => {
  for (const host of ["0.0.0.0", "::", "10.0.0.1"]) assert.equal(allowedHosts(host, []), undefined);
});
