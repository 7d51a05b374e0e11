import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isToolError } from "../../ground/errors/index.ts";
import { formatLocation, parseLocation, type Location } from "./index.ts";

const DIGEST = `sha256:${"a".repeat(64)}` as const;

const READ: readonly (readonly [string, Location])[] = [
  [
    "store:iris",
    { kind: "store", reference: { registry: "store", repository: "iris", tag: "latest" } },
  ],
  [
    "store:iris:v1",
    { kind: "store", reference: { registry: "store", repository: "iris", tag: "v1" } },
  ],
  [
    "store:team/iris:v1",
    { kind: "store", reference: { registry: "store", repository: "team/iris", tag: "v1" } },
  ],
  [
    `store:iris@${DIGEST}`,
    { kind: "store", reference: { registry: "store", repository: "iris", digest: DIGEST } },
  ],
  [
    "store:host.test/team/iris:v1",
    { kind: "store", reference: { registry: "host.test", repository: "team/iris", tag: "v1" } },
  ],
  [
    "store:localhost:5000/iris",
    { kind: "store", reference: { registry: "localhost:5000", repository: "iris", tag: "latest" } },
  ],
  [
    "host.test/iris",
    { kind: "registry", reference: { registry: "host.test", repository: "iris", tag: "latest" } },
  ],
  [
    `host.test/iris@${DIGEST}`,
    { kind: "registry", reference: { registry: "host.test", repository: "iris", digest: DIGEST } },
  ],
  [
    "python:3.11-slim",
    {
      kind: "registry",
      reference: { registry: "docker.io", repository: "library/python", tag: "3.11-slim" },
    },
  ],
  [
    "docker://host.test/iris:v1",
    { kind: "registry", reference: { registry: "host.test", repository: "iris", tag: "v1" } },
  ],
  [
    "docker:27",
    {
      kind: "registry",
      reference: { registry: "docker.io", repository: "library/docker", tag: "27" },
    },
  ],
  ["oci:dir", { kind: "oci", path: "dir" }],
  ["oci:./a/b:v1", { kind: "oci", path: "./a/b", tag: "v1" }],
  ["oci:/a:b/c", { kind: "oci", path: "/a:b/c" }],
  ["oci:C:\\images", { kind: "oci", path: "C:\\images" }],
  ["oci-archive:x.tar", { kind: "oci-archive", path: "x.tar" }],
  ["oci-archive:x.tar:v1", { kind: "oci-archive", path: "x.tar", tag: "v1" }],
  ["docker-archive:/tmp/x y.tar", { kind: "docker-archive", path: "/tmp/x y.tar" }],
  ["docker-daemon=iris:v1", { kind: "docker-daemon", name: "iris:v1" }],
  ["docker-daemon:iris:v1", { kind: "docker-daemon", name: "iris:v1" }],
  ["podman:localhost/iris", { kind: "podman", name: "localhost/iris" }],
];

for (const [text, location] of READ)
  test(`"${text.slice(0, 50)}" is read as it should be`, () =>
    assert.deepEqual(parseLocation(text), location));

for (const text of [
  "",
  "store:",
  "store:Iris",
  "store:iris:",
  `store:iris:${"t".repeat(129)}`,
  "store:iris@x",
  "oci:",
  "oci-archive:",
  "docker-daemon:",
  "docker-daemon:-x",
  "docker-daemon:a b",
  "podman:a;b",
  "containers-storage:iris",
  "docker://",
  "host.test/",
  "oci:a\0b",
  "store:../x",
]) {
  test(`${JSON.stringify(text.slice(0, 50))} is refused`, () =>
    assert.throws(() => parseLocation(text), { code: "REFERENCE_INVALID" }));
}

test("a place that is printed and read again stays the same", () => {
  for (const [, location] of READ)
    assert.deepEqual(parseLocation(formatLocation(location)), location);
});

test("any text is a place that prints to the same place, or is refused by type", () => {
  const scheme = fc.constantFrom(
    "",
    "store:",
    "oci:",
    "oci-archive:",
    "docker-archive:",
    "docker-daemon:",
    "podman:",
    "docker://",
  );
  let read = 0;
  fc.assert(
    fc.property(
      scheme,
      fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9.:/@_-]{1,30}$/)),
      (prefix, rest) => {
        try {
          const location = parseLocation(`${prefix}${rest}`);
          assert.deepEqual(parseLocation(formatLocation(location)), location);
          read += 1;
        } catch (error) {
          assert.ok(isToolError(error), String(error));
        }
      },
    ),
    { numRuns: 3000 },
  );
  assert.ok(read > 100, `${read} were read`);
});
