import assert from "node:assert/strict";
import { test } from "node:test";
import { compileIgnore } from "./ignore.ts";

/** Cases of Docker's own documentation, and the corners users meet. */
const cases: readonly (readonly [
  name: string,
  lines: readonly string[],
  path: string,
  isIgnored: boolean,
])[] = [
  ["a comment ignores nothing", ["# comment"], "# comment", false],
  ["a star stays inside one part", ["*/temp*"], "somedir/temporary.txt", true],
  ["a star does not reach deeper", ["*/temp*"], "a/b/temporary.txt", false],
  ["two parts deep needs two stars", ["*/*/temp*"], "somedir/subdir/temporary.txt", true],
  ["a question mark is one character", ["temp?"], "tempa", true],
  ["a question mark is not two", ["temp?"], "tempab", false],
  ["two stars match any depth", ["**/*.go"], "a/b/c.go", true],
  ["two stars match the root too", ["**/*.go"], "c.go", true],
  ["a pattern without stars means the root", ["*.md"], "docs/a.md", false],
  ["an exception brings a file back", ["*.md", "!README.md"], "README.md", false],
  ["the last line wins", ["*.md", "!README*.md", "README-secret.md"], "README-secret.md", true],
  ["a folder takes all below it", ["build"], "build/deep/file", true],
  ["slashes at the ends do not matter", ["/foo/"], "foo/bar", true],
  ["a class of characters", ["[ab].txt"], "b.txt", true],
  ["a class that excludes", ["[!ab].txt"], "b.txt", false],
  ["a dot is a dot", ["a.c"], "abc", false],
  ["an escaped star is a star", ["\\*.txt"], "x.txt", false],
  ["stars in the middle", ["a/**/z"], "a/b/c/z", true],
  ["stars in the middle match nothing too", ["a/**/z"], "a/z", true],
];
for (const [name, lines, path, isIgnored] of cases)
  test(`ignore: ${name}`, () => assert.equal(compileIgnore(lines)(path), isIgnored));
