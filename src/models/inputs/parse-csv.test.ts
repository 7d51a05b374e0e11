import assert from "node:assert/strict";
import { test } from "node:test";
import { CsvError, numberOf, parseCsv } from "./index.ts";

const TABLES: readonly (readonly [what: string, text: string, table: object])[] = [
  [
    "rows of numbers",
    "1,2\n3,4\n",
    {
      rows: [
        ["1", "2"],
        ["3", "4"],
      ],
    },
  ],
  [
    "ends of lines as on Windows, and no end at the last",
    "1,2\r\n3,4",
    {
      rows: [
        ["1", "2"],
        ["3", "4"],
      ],
    },
  ],
  ["a header", "a,b\n1,2", { header: ["a", "b"], rows: [["1", "2"]] }],
  ["one row of words", "a,b", { rows: [["a", "b"]] }],
  ["quotes", '"a ""b""\n,c",2\nx,3', { header: ['a "b"\n,c', "2"], rows: [["x", "3"]] }],
  ["empty cells and empty lines", "1,\n\n,2", { header: ["1", ""], rows: [["", "2"]] }],
  ["a byte order mark", "\uFEFF1\n2", { rows: [["1"], ["2"]] }],
];

for (const [what, text, table] of TABLES)
  test(`${what} are read`, () => {
    assert.deepEqual(parseCsv(text), table);
  });

const WRONG: readonly (readonly [text: string, line: number, why: RegExp])[] = [
  ["", 1, /empty/],
  ["1,2\n3", 2, /1 columns, and the first row has 2/],
  ['1\n"2', 2, /does not end/],
  ['"1"x\n', 1, /text follows/],
];

for (const [text, line, why] of WRONG)
  test(`${JSON.stringify(text)} is no table`, () =>
    assert.throws(
      () => parseCsv(text),
      (error) => error instanceof CsvError && error.line === line && why.test(error.message),
    ));

test("numbers are read as Python writes them", () => {
  const cells = ["1", " -2.5e3 ", "nan", "-inf", "Infinity", "", "x", "0x"];
  const values = [1, -2500, Number.NaN, -Infinity, Infinity, undefined, undefined, undefined];
  assert.deepEqual(cells.map(numberOf), values);
});
