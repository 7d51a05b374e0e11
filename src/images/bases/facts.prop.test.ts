import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isToolError } from "../../ground/errors/index.ts";
import {
  factsOfImage,
  factsToLabels,
  layersLabel,
  readBaseFacts,
  upstreamVersion,
} from "./facts.ts";

const line = fc.string({ maxLength: 20 }).filter((text) => !/[\r\n]/.test(text));
const word = fc.stringMatching(/^[a-z0-9.+-]{1,12}$/);
const facts = fc.record({
  suite: word,
  architecture: fc.constantFrom("amd64" as const, "arm64" as const),
  glibc: word,
  python: fc.record({ version: word, executable: line, sitePackages: line }),
  packages: fc.array(fc.record({ name: word, version: line, architecture: word }), {
    maxLength: 5,
  }),
  sonames: fc.array(word, { maxLength: 5 }),
  directories: fc.dictionary(
    line.map((text) => `/${text}`),
    fc.record({ mode: fc.integer({ min: 0, max: 0o7777 }), uid: fc.nat(), gid: fc.nat() }),
    { maxKeys: 4 },
  ),
});

/** Without the null prototypes that the generator also makes. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

test("facts survive being labels", () => {
  fc.assert(
    fc.property(facts, (value) =>
      assert.deepEqual(readBaseFacts(factsToLabels(value)), plain(value)),
    ),
  );
});

test("labels of any shape give facts, nothing, or an error of ours", () => {
  const names = [
    "suite",
    "architecture",
    "packages",
    "packages.digest",
    "directories",
    "sonames",
    "python.version",
    "python.executable",
    "snapshot",
  ].map((name) => `dev.slipway.base.${name}`);
  const value = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom(
      "[]",
      "{}",
      "amd64",
      "[[]]",
      '[["a","b","c\\nStatus: x"]]',
      '{"__proto__":["0755",0,0]}',
    ),
  );
  const labels = fc.dictionary(fc.constantFrom(...names), value);
  fc.assert(
    fc.property(labels, (some) => {
      try {
        readBaseFacts(some);
      } catch (error) {
        assert.ok(isToolError(error), String(error));
      }
    }),
    { numRuns: 500 },
  );
  assert.throws(
    () =>
      readBaseFacts({
        "dev.slipway.base.suite": "s",
        "dev.slipway.base.architecture": "amd64",
        "dev.slipway.base.packages": '[["a","1\\nStatus: x","all"]]',
      }),
    { code: "MANIFEST_INVALID" },
  );
});

test("the upstream version has neither epoch nor revision", () => {
  assert.deepEqual(
    ["3.11.2-6+deb12u9", "2.36-9", "1:1.2.13.dfsg-1", "2.41~rc1-2", "12"].map(upstreamVersion),
    ["3.11.2", "2.36", "1.2.13.dfsg", "2.41", "12"],
  );
});

test("facts hold for the layers that they speak of, and for no others", () => {
  const own = [`sha256:${"1".repeat(64)}`, `sha256:${"2".repeat(64)}`] as const;
  const labels = {
    "dev.slipway.base.suite": "bookworm",
    "dev.slipway.base.architecture": "amd64",
    "dev.slipway.base.packages": "[]",
  };
  const suiteOf = (
    Labels: Readonly<Record<string, string>>,
    diff_ids: readonly (typeof own)[number][],
  ): string | undefined =>
    factsOfImage({ config: { Labels }, rootfs: { type: "layers", diff_ids } })?.suite;
  const bound = { ...labels, ...layersLabel(own) };
  assert.equal(suiteOf(bound, own), "bookworm");
  assert.equal(suiteOf(bound, [...own, `sha256:${"1".repeat(64)}`]), undefined);
  assert.equal(suiteOf(bound, own.toReversed()), undefined);
  assert.equal(suiteOf(labels, own), "bookworm", "bases of older releases say nothing of layers");
});
