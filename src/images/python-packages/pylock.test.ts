import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isToolError } from "../../ground/errors/index.ts";
import { parsePipReport } from "./pip-report.ts";
import { parsePylock } from "./pylock.ts";

const HASH = "4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274";
const lock = (body: string): string =>
  `lock-version = "1.0"\ncreated-by = "uv"\n\n[[packages]]\nname = "Six"\nversion = "1.17.0"\n${body}\n`;

for (const [name, body, expected] of [
  [
    "a wheel of an index",
    `wheels = [{ url = "https://host/a/six-1.17.0-py2.py3-none-any.whl", hashes = { sha256 = "${HASH}" } }]`,
    {},
  ],
  [
    "a wheel in a folder",
    `wheels = [{ url = "file:///w/six-1.17.0-py2.py3-none-any.whl", hashes = { sha256 = "${HASH}" } }]`,
    {},
  ],
  [
    "a wheel by path",
    `archive = { path = "wheels/six-1.17.0-py2.py3-none-any.whl", hashes = { sha256 = "${HASH}" } }`,
    { direct: "/project/wheels/six-1.17.0-py2.py3-none-any.whl" },
  ],
  [
    "a wheel by URL, without the credentials",
    `archive = { url = "https://u:p@host/six-1.17.0-py2.py3-none-any.whl", hashes = { sha256 = "${HASH}" } }`,
    { direct: "https://host/six-1.17.0-py2.py3-none-any.whl" },
  ],
] as const) {
  test(`${name} is read from uv's lock`, () => {
    assert.deepEqual(parsePylock(lock(body), "/project"), [
      {
        name: "six",
        version: "1.17.0",
        fileName: "six-1.17.0-py2.py3-none-any.whl",
        sha256: HASH,
        ...expected,
      },
    ]);
  });
}

for (const [name, body, why] of [
  [
    "a repository",
    'vcs = { type = "git", url = "https://host/x", commit-id = "1" }',
    /source repository/,
  ],
  ["a folder", 'directory = { path = "." }', /folder of sources/],
  [
    "an sdist",
    `sdist = { url = "https://host/six-1.17.0.tar.gz", hashes = { sha256 = "${HASH}" } }`,
    /source archive/,
  ],
] as const) {
  test(`${name} is refused by name with a way out`, () => {
    assert.throws(() => parsePylock(lock(body), "/"), {
      code: "REQUIREMENT_WITHOUT_WHEEL",
      message: why,
      hint: /pip wheel/,
    });
  });
}

test("a lock without a hash, or that is no lock, is refused", () => {
  for (const text of [
    lock('wheels = [{ url = "https://host/six-1-py3-none-any.whl" }]'),
    "packages = 3",
    "no toml",
    lock("wheels = [1]"),
  ]) {
    assert.throws(() => parsePylock(text, "/"), { code: "REQUIREMENTS_INVALID" });
  }
});

test("a wheel that stands for two packages is refused", () => {
  const body = `wheels = [{ url = "https://host/six-1.17.0-py3-none-any.whl", hashes = { sha256 = "${HASH}" } }]`;
  assert.throws(() => parsePylock(`${lock(body)}\n[[packages]]\nname = "six"\n${body}\n`, "/"), {
    code: "REQUIREMENTS_INVALID",
    message: /"six" is chosen twice/,
  });
});

const report = (download: object, more: object = {}): string =>
  JSON.stringify({
    version: "1",
    install: [{ metadata: { name: "Six", version: "1.17.0" }, download_info: download, ...more }],
  });

test("pip's report gives the same as uv's lock", () => {
  const text = report({
    url: "https://host/a/six-1.17.0-py2.py3-none-any.whl",
    archive_info: { hash: `sha256=${HASH}` },
  });
  assert.deepEqual(parsePipReport(text), [
    { name: "six", version: "1.17.0", fileName: "six-1.17.0-py2.py3-none-any.whl", sha256: HASH },
  ]);
});

test("a source archive in pip's report is refused", () => {
  assert.throws(() => parsePipReport(report({ url: "https://host/six-1.17.0.tar.gz" })), {
    code: "REQUIREMENT_WITHOUT_WHEEL",
  });
});

test("any text gives wheels or our own error", () => {
  for (const parse of [(text: string) => parsePylock(text, "/"), parsePipReport]) {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((json) => `{"install": ${json}}`),
        ),
        (text) => {
          try {
            parse(text);
          } catch (error) {
            assert.ok(isToolError(error), String(error));
          }
        },
      ),
    );
  }
});
