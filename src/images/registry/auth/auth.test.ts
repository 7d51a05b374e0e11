import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseChallenges } from "./challenge.ts";
import { checkRealm } from "./fetch-token.ts";

test("challenges are read with commas in quotes, several in a value, escapes, and in any case", () => {
  assert.deepEqual(
    parseChallenges([
      `Bearer realm="https://auth.test/token?a=1,2",service="registry, and more",scope="repository:a/b:pull,push"`,
    ]),
    [
      {
        scheme: "bearer",
        parameters: {
          realm: "https://auth.test/token?a=1,2",
          service: "registry, and more",
          scope: "repository:a/b:pull,push",
        },
      },
    ],
  );
  assert.deepEqual(
    parseChallenges([`BASIC REALM = "a \\"b\\"", Bearer realm=plain`, "Negotiate"]).map(
      ({ scheme, parameters }) => [scheme, parameters["realm"]],
    ),
    [
      ["basic", `a "b"`],
      ["bearer", "plain"],
      ["negotiate", undefined],
    ],
  );
  assert.deepEqual(parseChallenges(["", "=", `"`]), []);
});

test("no header makes the reader of challenges fail or hang", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({
          unit: fc.constantFrom(
            "Bearer",
            "realm",
            "=",
            '"',
            "\\",
            ",",
            ";",
            " ",
            "\t",
            "\0",
            "é",
            "x",
          ),
        }),
        { maxLength: 3 },
      ),
      (values) => {
        assert.ok(Array.isArray(parseChallenges(values)));
      },
    ),
  );
});

const REGISTRY = new URL("https://registry.test");

test("a token server on HTTPS is taken, also on another host", () => {
  for (const realm of [
    "https://registry.test/token",
    "https://auth.test/token?x=1",
    "https://93.184.216.34/token",
  ])
    assert.equal(checkRealm(realm, REGISTRY, "test").href, new URL(realm).href);
  assert.equal(
    checkRealm("http://auth.test/token", new URL("http://127.0.0.1:5000"), "test").protocol,
    "http:",
    "a plain registry may have a plain token server",
  );
  assert.equal(
    checkRealm("http://127.0.0.1:5001/token", new URL("http://127.0.0.1:5000"), "test").port,
    "5001",
  );
});

for (const [realm, why] of [
  ["http://auth.test/token", /not HTTPS/],
  ["file:///etc/passwd", /not HTTPS/],
  ["/token", /not a URL/],
  ["https://mia:hunter2@auth.test/token", /user name/],
  ["https://127.0.0.1/token", /internal address/],
  ["https://10.0.0.1/token", /internal address/],
  ["https://169.254.169.254/latest/meta-data", /internal address/],
  ["https://[::1]/token", /internal address/],
  ["https://[fd00::1]/token", /internal address/],
  ["https://localhost/token", /internal address/],
  ["https://0x7f000001/token", /internal address/],
] as const) {
  test(`a registry of the internet that names ${realm} as its token server is refused`, () => {
    assert.throws(
      () => checkRealm(realm, REGISTRY, "test"),
      (error: Error & { code?: string }) =>
        error.code === "INSECURE_REFUSED" &&
        why.test(error.message) &&
        !error.message.includes("hunter2"),
    );
  });
}
