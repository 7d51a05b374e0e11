import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpResponse } from "./http-message.ts";
import { retryAfterOf } from "./response-error.ts";
import { isSameOrigin, locationOf } from "./redirect.ts";

const REGISTRY = new URL("https://registry.test");

function answer(
  location: string | undefined,
  url = "https://registry.test/v2/a/blobs/uploads/",
): HttpResponse {
  const headers: Readonly<Record<string, string>> = location === undefined ? {} : { location };
  return {
    status: 202,
    method: "POST",
    url: new URL(url),
    header: (name) => headers[name],
    headers: () => [],
    readBytes: async () => new Uint8Array(),
    body: async function* () {},
    discard: async () => undefined,
    drop: async () => undefined,
  };
}

test("a location may be relative, keeps its query, and may lead to a storage host", () => {
  assert.equal(
    locationOf(answer("/v2/a/blobs/uploads/1?_state=x%3D%3D"), REGISTRY, "t").href,
    "https://registry.test/v2/a/blobs/uploads/1?_state=x%3D%3D",
  );
  assert.equal(
    locationOf(answer("2?_state=y#part"), REGISTRY, "t").href,
    "https://registry.test/v2/a/blobs/uploads/2?_state=y",
  );
  const storage = locationOf(answer("https://storage.test/up?sig=1"), REGISTRY, "t");
  assert.equal(storage.host, "storage.test");
  assert.equal(isSameOrigin(storage, REGISTRY), false, "and gets no credential");
  assert.equal(isSameOrigin(new URL("https://registry.test:444/"), REGISTRY), false);
});

test("a registry behind a proxy that gives its own address with http: is spoken to over HTTPS", () => {
  assert.equal(
    locationOf(answer("http://registry.test/v2/a/blobs/uploads/1"), REGISTRY, "t").href,
    "https://registry.test/v2/a/blobs/uploads/1",
  );
});

for (const location of [
  "http://storage.test/up",
  "ftp://registry.test/up",
  "https://mia:hunter2@storage.test/",
  "https://127.0.0.1/up",
  "https://192.168.1.1/up",
  "https://169.254.169.254/",
  "https://[::1]:5000/up",
  "http://localhost/up",
]) {
  test(`a location of ${location} is refused`, () => {
    assert.throws(
      () => locationOf(answer(location), REGISTRY, "t"),
      (error: Error & { code?: string }) =>
        error.code === "INSECURE_REFUSED" && !error.message.includes("hunter2"),
    );
  });
}

test("no usable location is a broken registry", () => {
  for (const location of [undefined, "", "https://"])
    assert.throws(() => locationOf(answer(location), REGISTRY, "t"), { code: "REGISTRY_PROTOCOL" });
});

test("Retry-After comes in seconds or as a date", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  assert.equal(retryAfterOf("7", now), 7000);
  assert.equal(retryAfterOf(" 0 ", now), 0);
  assert.equal(retryAfterOf("Thu, 01 Jan 2026 00:00:30 GMT", now), 30_000);
  assert.equal(retryAfterOf("Wed, 31 Dec 2025 00:00:00 GMT", now), 0);
  for (const value of [undefined, "soon", "-1x"]) assert.equal(retryAfterOf(value, now), undefined);
});
