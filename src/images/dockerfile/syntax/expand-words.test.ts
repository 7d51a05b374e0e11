import assert from "node:assert/strict";
import { test } from "node:test";
import { expandWord, expandWords } from "./expand-words.ts";

const VARIABLES = new Map([
  ["a", "one"],
  ["empty", ""],
  ["path", "models/iris/v1.2.tar.gz"],
  ["two", "x y"],
]);

const EXPANSIONS: readonly (readonly [text: string, result: string])[] = [
  ["$a ${a} \\$a '$a' \"$a\"", "one one $a $a one"],
  ["${none:-d} ${none-d} ${empty:-d} ${empty-d}", "d d d "],
  ["${none:+s} ${a:+s} ${empty:+s} ${empty+s}", " s  s"],
  ["${path#*/} ${path##*/}", "iris/v1.2.tar.gz v1.2.tar.gz"],
  ["${path%.*} ${path%%.*}", "models/iris/v1.2.tar models/iris/v1"],
  ["${path/i/I} ${path//i/I}", "models/Iris/v1.2.tar.gz models/IrIs/v1.2.tar.gz"],
  ["${none:-${a:+${two}}}", "x y"],
  ['a\\ b "c\\"d\\e"', 'a b c"d\\e'],
  ["$", "$"],
];

for (const [text, result] of EXPANSIONS)
  test(`${text} becomes ${result}`, () => assert.equal(expandWord(text, VARIABLES), result));

const REFUSALS: readonly (readonly [text: string, why: RegExp])[] = [
  ["${a", /missing '}'/],
  ["${a:x}", /unsupported modifier/],
  ["${}", /bad substitution/],
  ["'open", /single-quote/],
  ['"open', /double-quote/],
  ["${none:?must be set}", /none: must be set/],
  ["${a#\\x}", /invalid escape/],
];

for (const [text, why] of REFUSALS)
  test(`${text} is refused`, () => assert.throws(() => expandWord(text, VARIABLES), why));

test("words part at white space that no quote protects", () => {
  assert.deepEqual(expandWords(`$two "$two" 'p q' r\\ s`, VARIABLES), [
    "x",
    "y",
    "x y",
    "p q",
    "r s",
  ]);
});

test("variables that double each other are stopped", () => {
  const variables = new Map([["v", "x".repeat(2 ** 20)]]);
  assert.throws(() => expandWord("$v$v$v$v", variables), /longer than/);
});
