import assert from "node:assert/strict";
import { test } from "node:test";
import { checkStatedHashes, createHashNotes, noteHashes } from "./stated-hashes.ts";

const A = "a".repeat(64);
const B = "b".repeat(64);
const wheel = (name: string, sha256: string) => ({
  name,
  version: "1.17.0",
  fileName: `${name}-1.17.0-py2.py3-none-any.whl`,
  sha256,
});

const LINES: readonly (readonly [what: string, line: string, name: string])[] = [
  ["a pin", `six==1.17.0 --hash=sha256:${A}`, "six"],
  ["a blank in place of the equals sign", `six==1.17.0 --hash sha256:${A}`, "six"],
  ["upper case", `six==1.17.0 --hash=sha256:${A.toUpperCase()}`, "six"],
  [
    "extras and a marker",
    `Sci_Kit.Learn[a,b] >= 1 ; python_version > "3" --hash=sha256:${A}`,
    "sci-kit-learn",
  ],
  ["one kind among others", `six==1.17.0 --hash=md5:0123 --hash=sha256:${A}`, "six"],
  [
    "an address with a fragment",
    `six @ https://a.test/six-1.17.0-py2.py3-none-any.whl#sha256=${A}`,
    "six",
  ],
  ["a file", `./wheels/six-1.17.0-py2.py3-none-any.whl --hash=sha256:${A}`, "six"],
];

for (const [what, line, name] of LINES) {
  test(`a stated hash is checked: ${what}`, () => {
    const notes = createHashNotes();
    noteHashes(line, notes);
    checkStatedHashes([wheel(name, A), wheel("other", B)], notes);
    assert.throws(() => checkStatedHashes([wheel(name, B)], notes), {
      code: "DIGEST_MISMATCH",
      expected: new RegExp(`sha256:${A}$`),
      actual: `sha256:${B}`,
    });
  });
}

test("any of several stated hashes will do", () => {
  const notes = createHashNotes();
  noteHashes(`six==1.17.0 --hash=sha256:${A} --hash=sha256:${B}`, notes);
  checkStatedHashes([wheel("six", B)], notes);
});

test("a hash that is malformed or of another kind never passes", () => {
  for (const [hash, code] of [
    [`sha512:${A}${B}`, "REQUIREMENTS_INVALID"],
    ["sha256", "REQUIREMENTS_INVALID"],
    ["sha256:1234", "DIGEST_MISMATCH"],
    [`sha256:${"g".repeat(64)}`, "DIGEST_MISMATCH"],
  ]) {
    const notes = createHashNotes();
    noteHashes(`six==1.17.0 --hash=${hash}`, notes);
    assert.throws(() => checkStatedHashes([wheel("six", A)], notes), { code });
  }
});

test("where hashes are required, a package without one is refused", () => {
  const notes = { ...createHashNotes(), areRequired: true };
  assert.throws(() => checkStatedHashes([wheel("six", A)], notes), {
    code: "REQUIREMENTS_INVALID",
    hint: new RegExp(`six==1.17.0 --hash=sha256:${A}`),
  });
});
