import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatReference,
  isRepository,
  isTag,
  parseDigest,
  parseReference,
  type Reference,
} from "./index.ts";

const HEX = "a".repeat(64);
const LONG = "b".repeat(128);

const READ: readonly (readonly [string, Reference])[] = [
  ["iris", { registry: "docker.io", repository: "library/iris" }],
  ["iris:v1", { registry: "docker.io", repository: "library/iris", tag: "v1" }],
  ["team/iris", { registry: "docker.io", repository: "team/iris" }],
  ["docker.io/iris", { registry: "docker.io", repository: "library/iris" }],
  ["index.docker.io/team/iris:v1", { registry: "docker.io", repository: "team/iris", tag: "v1" }],
  ["localhost/iris", { registry: "localhost", repository: "iris" }],
  ["localhost:5000/a/b:t", { registry: "localhost:5000", repository: "a/b", tag: "t" }],
  ["127.0.0.1:5000/a", { registry: "127.0.0.1:5000", repository: "a" }],
  ["[::1]:5000/a:b", { registry: "[::1]:5000", repository: "a", tag: "b" }],
  ["Registry.Test/a", { registry: "registry.test", repository: "a" }],
  ["MyHost/a", { registry: "MyHost", repository: "a" }],
  [
    `host.test/r@sha256:${HEX}`,
    { registry: "host.test", repository: "r", digest: `sha256:${HEX}` },
  ],
  [
    `host.test/r:v1@sha256:${HEX}`,
    { registry: "host.test", repository: "r", tag: "v1", digest: `sha256:${HEX}` },
  ],
  [
    `host.test/r@sha512:${LONG}`,
    { registry: "host.test", repository: "r", digest: `sha512:${LONG}` },
  ],
  ["host.test/a__b/c--d/e.f", { registry: "host.test", repository: "a__b/c--d/e.f" }],
  ["5000:tag", { registry: "docker.io", repository: "library/5000", tag: "tag" }],
];

for (const [text, reference] of READ) {
  test(`"${text.slice(0, 60)}" is read as it should be`, () =>
    assert.deepEqual(parseReference(text), reference));
}

const REFUSED = [
  "",
  " ",
  "Iris",
  "team/Iris",
  "iris:",
  "iris:-v1",
  `iris:${"t".repeat(129)}`,
  "iris@sha256:abc",
  `iris@md5:${"a".repeat(32)}`,
  `iris@sha256:${"A".repeat(64)}`,
  "host.test/",
  "host.test//iris",
  "/iris",
  "iris/",
  "a..b",
  "a___b",
  "-a",
  "a-",
  "host:port/iris",
  "host.test/iris:v1:v2",
  `host.test/r@sha256:${HEX}@sha256:${HEX}`,
  "iris\n",
  "iris ",
  "../iris",
  "a/../b",
  "ho st.test/iris",
  "host_x.test/iris",
  `host.test/${"a".repeat(250)}`,
  `${"a/".repeat(600)}a`,
  "https://host.test/iris",
  "host.test:99999/iris",
];

for (const text of REFUSED) {
  test(`${JSON.stringify(text.slice(0, 60))} is refused, and the message names it`, () => {
    assert.throws(
      () => parseReference(text),
      (error: unknown) => {
        const { code, message } = error as { code: string; message: string };
        return (
          code === "REFERENCE_INVALID" &&
          message.startsWith("parse image name ") &&
          message.length < 800
        );
      },
    );
  });
}

test("a name that is printed and read again stays the same", () => {
  for (const [, reference] of READ)
    assert.deepEqual(parseReference(formatReference(reference)), reference);
});

test("digests are sha256 or sha512 in lower-case hex, nothing else", () => {
  assert.equal(parseDigest(`sha256:${HEX}`), `sha256:${HEX}`);
  assert.equal(parseDigest(`sha512:${LONG}`), `sha512:${LONG}`);
  for (const text of [
    "",
    "sha256:",
    `sha256:${HEX}a`,
    `sha512:${HEX}`,
    `SHA256:${HEX}`,
    `sha256:${"g".repeat(64)}`,
    ` sha256:${HEX}`,
    `sha256:${HEX}\n`,
  ]) {
    assert.throws(() => parseDigest(text), { code: "DIGEST_INVALID" }, JSON.stringify(text));
  }
});

test("tags and repositories are told from what is none", () => {
  assert.deepEqual(["v1", "_x", "1.2.3-rc_1", "-x", ".x", "", "a/b", "a:b"].map(isTag), [
    true,
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
  assert.deepEqual(["iris", "team/iris", "Team/iris", "", "a//b", "a:b"].map(isRepository), [
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});
