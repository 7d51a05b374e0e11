import assert from "node:assert/strict";
import { test } from "node:test";
import { proxyFor } from "./proxy.ts";

function chosen(url: string, env: Readonly<Record<string, string>>): string | undefined {
  return proxyFor(new URL(url), env)?.href;
}

test("the proxy is that of the scheme, lower case first, else the general one", () => {
  const env = { HTTPS_PROXY: "http://s:1", HTTP_PROXY: "http://h:2", ALL_PROXY: "http://a:3" };
  assert.equal(chosen("https://registry.test/v2/", env), "http://s:1/");
  assert.equal(chosen("http://registry.test/v2/", env), "http://h:2/");
  assert.equal(
    chosen("https://registry.test/v2/", { ...env, https_proxy: "lower:4" }),
    "http://lower:4/",
  );
  assert.equal(chosen("https://registry.test/v2/", { all_proxy: "http://a:3" }), "http://a:3/");
  assert.equal(chosen("https://registry.test/v2/", {}), undefined);
  assert.equal(chosen("https://registry.test/v2/", { HTTPS_PROXY: " " }), undefined);
});

test("in a web server's process HTTP_PROXY may come from a request, and is not read", () => {
  assert.equal(
    chosen("http://registry.test/", { REQUEST_METHOD: "GET", HTTP_PROXY: "http://evil:1" }),
    undefined,
  );
  assert.equal(
    chosen("http://registry.test/", { REQUEST_METHOD: "GET", http_proxy: "http://own:1" }),
    "http://own:1/",
  );
});

test("the loopback is never reached through a proxy", () => {
  for (const host of ["localhost:5000", "127.0.0.1:5000", "[::1]:5000", "a.localhost"])
    assert.equal(chosen(`http://${host}/`, { HTTP_PROXY: "http://h:2" }), undefined, host);
});

for (const [list, url, isExcluded] of [
  ["registry.test", "https://registry.test/", true],
  ["registry.test", "https://sub.registry.test/", true],
  [".registry.test", "https://sub.registry.test/", true],
  ["*.registry.test", "https://sub.registry.test/", true],
  ["registry.test", "https://notregistry.test/", false],
  ["other.test, REGISTRY.test", "https://registry.test/", true],
  ["registry.test:443", "https://registry.test/", true],
  ["registry.test:5000", "https://registry.test/", false],
  ["registry.test:5000", "https://registry.test:5000/", true],
  ["*", "https://registry.test/", true],
  ["10.0.0.0/8", "https://10.1.2.3/", true],
  ["10.0.0.0/8", "https://11.1.2.3/", false],
  ["10.0.0.0/99", "https://10.1.2.3/", false],
  ["fd00::/8", "https://[fd00::1]/", true],
  ["10.1.2.3", "https://10.1.2.3:5000/", true],
  ["2.3", "https://10.1.2.3/", false],
  ["", "https://registry.test/", false],
] as const) {
  test(`NO_PROXY "${list}" ${isExcluded ? "takes" : "does not take"} ${url} out`, () => {
    assert.equal(
      chosen(url, { HTTPS_PROXY: "http://p:1", NO_PROXY: list }) === undefined,
      isExcluded,
    );
  });
}

test("what is no proxy's address is refused without being shown", () => {
  for (const value of ["socks5://user:hunter2@p:1", "http://"]) {
    assert.throws(
      () => chosen("https://registry.test/", { HTTPS_PROXY: value }),
      (error: Error & { code?: string }) =>
        error.code === "USAGE" && !error.message.includes("hunter2"),
    );
  }
});
