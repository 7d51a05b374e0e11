import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MEDIA_TYPES } from "../oci/index.ts";
import { parseRange } from "./blobs.ts";
import { Fault } from "./fault.ts";
import { parseManifestFacts } from "./manifest-facts.ts";
import { isName, parseRoute } from "./route.ts";

function onlyFaults(use: () => void): void {
  try {
    use();
  } catch (error) {
    assert.ok(error instanceof Fault, String(error));
    assert.ok(error.status >= 400 && error.status < 500);
  }
}

const part = fc.oneof(
  fc.constantFrom(
    "v2",
    "blobs",
    "uploads",
    "manifests",
    "tags",
    "list",
    "referrers",
    "_catalog",
    "..",
    "",
    "sha256:",
    `sha256:${"a".repeat(64)}`,
    "team/iris",
  ),
  fc.string({ maxLength: 20 }),
);

test("whatever the path, it is a route with a legal name or a refusal", () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      onlyFaults(() => {
        const route = parseRoute(`/v2/${parts.join("/")}`, "PUT");
        if ("name" in route) assert.ok(isName(route.name) && !route.name.includes(".."));
      });
    }),
    { numRuns: 2000 },
  );
});

test("a path of every kind is read back as what it was made of", () => {
  const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  const name = fc
    .array(
      fc.oneof(word, fc.constantFrom("blobs", "uploads", "manifests", "tags", "list", "referrers")),
      { minLength: 1, maxLength: 4 },
    )
    .map((words) => words.join("/"));
  const digest = fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}` as const);
  fc.assert(
    fc.property(
      name,
      digest,
      fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,20}$/),
      (repository, target, tag) => {
        assert.deepEqual(parseRoute(`/v2/${repository}/blobs/${target}`, "PUT"), {
          kind: "blob",
          name: repository,
          digest: target,
        });
        assert.deepEqual(parseRoute(`/v2/${repository}/referrers/${target}`, "PUT"), {
          kind: "referrers",
          name: repository,
          digest: target,
        });
        assert.deepEqual(parseRoute(`/v2/${repository}/manifests/${target}`, "PUT"), {
          kind: "manifest",
          name: repository,
          target: { digest: target },
        });
        assert.deepEqual(parseRoute(`/v2/${repository}/manifests/${tag}`, "PUT"), {
          kind: "manifest",
          name: repository,
          target: { tag },
        });
        assert.deepEqual(parseRoute(`/v2/${repository}/tags/list`, "PUT"), {
          kind: "tags",
          name: repository,
        });
        assert.deepEqual(parseRoute(`/v2/${repository}/blobs/uploads/`, "PUT"), {
          kind: "uploads",
          name: repository,
        });
      },
    ),
  );
});

test("whatever the JSON, it is a manifest or a refusal", () => {
  const digest = fc.constantFrom(`sha256:${"a".repeat(64)}`, "sha256:x", 7);
  const descriptor = fc.record(
    {
      mediaType: fc.oneof(fc.string(), fc.jsonValue()),
      digest,
      size: fc.oneof(fc.nat(), fc.jsonValue()),
      platform: fc.jsonValue(),
      urls: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const document = fc.record(
    {
      schemaVersion: fc.constantFrom(2, 1, "2"),
      mediaType: fc.constantFrom(...Object.values(MEDIA_TYPES), 7),
      config: descriptor,
      layers: fc.oneof(fc.array(descriptor), fc.jsonValue()),
      manifests: fc.oneof(fc.array(descriptor), fc.jsonValue()),
      subject: fc.oneof(descriptor, fc.jsonValue()),
      annotations: fc.jsonValue(),
      artifactType: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.oneof(document, fc.jsonValue()),
      fc.constantFrom(undefined, MEDIA_TYPES.imageManifest, MEDIA_TYPES.imageIndex),
      (value, type) =>
        onlyFaults(() => void parseManifestFacts(Buffer.from(JSON.stringify(value)), type)),
    ),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) =>
      onlyFaults(() => void parseManifestFacts(bytes, MEDIA_TYPES.imageManifest)),
    ),
  );
});

test("whatever the range, it lies within the blob", () => {
  const header = fc.oneof(
    fc.string(),
    fc
      .tuple(fc.string({ maxLength: 3 }), fc.nat(), fc.nat())
      .map(([unit, from, to]) => `${unit}=${from}-${to}`),
    fc.tuple(fc.nat(100), fc.option(fc.nat(100))).map(([from, to]) => `bytes=${from}-${to ?? ""}`),
    fc.nat(100).map((count) => `bytes=-${count}`),
  );
  fc.assert(
    fc.property(header, fc.nat(60), (text, size) => {
      const range = parseRange(text, size);
      if (typeof range === "object")
        assert.ok(
          range.start >= 0 && range.start < range.end && range.end <= size,
          JSON.stringify(range),
        );
    }),
    { numRuns: 2000 },
  );
});
