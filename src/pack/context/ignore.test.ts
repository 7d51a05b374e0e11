import assert from "node:assert/strict";
import { test } from "node:test";
import { ProjectError } from "../../errors/index.ts";
import { compileIgnores, DEFAULT_IGNORES, parseIgnoreFile } from "./ignore.ts";

function rules(...lines: string[]) {
  return compileIgnores([{ file: ".dockerignore", lines }]);
}

/** Cases of moby/patternmatcher's own tests and of Docker's documentation: pattern, path, is it ignored. */
const SINGLE: readonly (readonly [string, string, boolean])[] = [
  ["**", "file", true], ["**", "file/", true], ["**/", "file", true], ["**/", "dir/file", true], ["**", "dir/file", true], ["**/**", "dir/file", true],
  ["dir/**", "dir/file", true], ["dir/**", "dir/dir2/file", true], ["**/dir", "dir", true], ["**/dir", "dir/file", true], ["**/dir2/*", "dir/dir2/file", true],
  ["**/dir2/*", "dir/dir2/dir2/file", true], ["**file", "file", true], ["**file", "dir/file", true], ["**/file", "dir/file", true], ["**/file*", "dir/dir/file.txt", true],
  ["**/file*txt", "dir/dir/file.txt", true], ["**/file*.txt*", "dir/dir/file.txt", true], ["**/**/*.txt", "dir/dir/file.txt", true], ["**/**/*.txt2", "dir/dir/file.txt", false],
  ["**/*.txt", "file.txt", true], ["**/**/*.txt", "file.txt", true], ["a**/*.txt", "a/file.txt", true], ["a**/*.txt", "a/dir/file.txt", true], ["a/*.txt", "a/dir/file.txt", false],
  ["a/*.txt", "a/file.txt", true], ["a/*.txt**", "a/file.txt", true], ["a[b-d]e", "ae", false], ["a[b-d]e", "ace", true], ["a[b-d]e", "aae", false], ["a[^b-d]e", "aze", true],
  [".*", ".foo", true], [".*", "foo", false], ["abc.def", "abcdef", false], ["abc.def", "abc.def", true], ["abc.def", "abcZdef", false], ["abc?def", "abcZdef", true], ["abc?def", "abcdef", false],
  ["a\\\\", "a\\", true], ["**/foo/bar", "foo/bar", true], ["**/foo/bar", "dir/foo/bar", true], ["abc/**", "abc", false], ["abc/**", "abc/def", true], ["**/.foo", ".foo", true],
  ["**/.foo", "bar.foo", false], ["a(b)c/def", "a(b)c/def", true], ["a(b)c/def", "a(b)c/xyz", false], ["a.|)$(}+{bc", "a.|)$(}+{bc", true],
  ["dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", true],
  ["*/temp*", "somedir/temporary.txt", true], ["*/temp*", "somedir/subdir/temporary.txt", false], ["*/*/temp*", "somedir/subdir/temporary.txt", true], ["temp?", "tempa", true],
  ["/foo/bar", "foo/bar", true], ["foo/bar/", "foo/bar", true], ["./foo//bar", "foo/bar", true], ["foo", "foo/bar/baz", true], ["foo", "bar/foo", false], ["x/../foo", "foo", true],
];

for (const [pattern, path, isIgnored] of SINGLE) {
  test(`${pattern} ${isIgnored ? "ignores" : "keeps"} ${path}`, () => assert.equal(rules(pattern).ignores(path.replace(/\/$/, "")), isIgnored));
}

/** Lists, as in Docker's documentation on exceptions: the last line that matches decides. */
const LISTS: readonly (readonly [readonly string[], string, boolean])[] = [
  [["*.md", "!README.md"], "README.md", false],
  [["*.md", "!README.md"], "OTHER.md", true],
  [["*.md", "!README*.md", "README-secret.md"], "README-secret.md", true],
  [["*.md", "!README*.md", "README-secret.md"], "README-me.md", false],
  [["*.md", "README-secret.md", "!README*.md"], "README-secret.md", false],
  [["**", "!util/docker/web"], "util/docker/web/foo", false],
  [["**", "!util/docker/web", "util/docker/web/foo"], "util/docker/web/foo", true],
  [["docs", "!docs/README.md"], "docs/README.md", false],
  [["docs/**", "!docs/keep/**"], "docs/keep/a/b", false],
  [["!docs", "docs"], "docs/a", true],
  [["# a comment", "", "  a.txt  "], "a.txt", true],
  [["# a.txt"], "# a.txt", false],
  [["! a.txt", "*"], "a.txt", true],
];

for (const [lines, path, isIgnored] of LISTS) {
  test(`${JSON.stringify(lines)} ${isIgnored ? "ignore" : "keep"} ${path}`, () => assert.equal(rules(...lines).ignores(path), isIgnored));
}

test("a folder that is left out is looked into only where an exception may lie", () => {
  assert.equal(rules("docs").mayReinclude("docs"), false);
  assert.equal(rules("docs", "!docs/a/b.md").mayReinclude("docs"), true);
  assert.equal(rules("docs", "!docs/a/b.md").mayReinclude("docs/a"), true);
  assert.equal(rules("docs", "!docs/a/b.md").mayReinclude("docs/c"), false);
  assert.equal(rules("docs", "!**/*.md").mayReinclude("docs/c"), true);
});

for (const [pattern, why] of [["!", "nothing follows"], ["a[", "not closed"], ["a[]", "empty"], ["[b-a]", "no pattern"]] as const) {
  test(`the pattern ${pattern} is refused with its place`, () => {
    assert.throws(() => rules("fine", pattern), (error) => error instanceof ProjectError && error.line === 2 && error.message.includes(why));
  });
}

test("a byte order mark and Windows line ends are no part of a pattern", () => {
  const list = parseIgnoreFile(".dockerignore", "\u{feff}a.txt\r\nb.txt\r\n");
  assert.deepEqual(["a.txt", "b.txt", "c.txt"].map(compileIgnores([list]).ignores), [true, true, false]);
});

test("what no image needs is left out, and may be taken back in", () => {
  const defaults = { file: "defaults", lines: DEFAULT_IGNORES };
  for (const path of [".git/config", "a/.git/x", "lib/__pycache__/m.cpython-311.pyc", "node_modules/x/index.js", ".venv/bin/python", "slipway.yaml"]) assert.equal(compileIgnores([defaults]).ignores(path), true, path);
  assert.equal(compileIgnores([defaults]).ignores("sub/slipway.yaml"), false);
  assert.equal(compileIgnores([defaults, { file: "x", lines: ["!node_modules"] }]).ignores("node_modules/x/index.js"), false);
});
