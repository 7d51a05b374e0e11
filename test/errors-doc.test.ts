import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { ERROR_CODES, type CodeFacts } from "../src/ground/errors/index.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/errors.md"), "utf8");
const rows = [
  ...page.matchAll(
    /^\| `([A-Z_]+)` \| (\d+) \| (\d+) \| ([A-Z_]+) \| (yes)? ?\| (.+) \| (.+) \|$/gm,
  ),
].map((match) => ({
  code: match[1] ?? "",
  facts: {
    http: Number(match[3]),
    grpc: match[4],
    exit: Number(match[2]),
    retryable: match[5] === "yes",
  },
}));

test("the page lists every code of the table, and no other, once", () => {
  assert.ok(rows.length > 40, `saw ${rows.length} rows`);
  assert.deepEqual(rows.map((row) => row.code).sort(), Object.keys(ERROR_CODES).sort());
});

test("the page gives each code the facts that the table gives it", () => {
  const table: Readonly<Record<string, CodeFacts>> = ERROR_CODES;
  for (const { code, facts } of rows) assert.deepEqual(facts, table[code], code);
});
