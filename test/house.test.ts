import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { run } from "../src/ground/process/index.ts";

const ROOT = resolve(import.meta.dirname, "..");
const bin = (name: string): string => resolve(ROOT, "node_modules/.bin", name);

const CHECKS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  "every file is formatted": [bin("oxfmt"), "--check"],
  "types agree": [process.execPath, "node_modules/typescript/bin/tsc", "--noEmit"],
  "types of the page agree": [
    process.execPath,
    "node_modules/typescript/bin/tsc",
    "--noEmit",
    "-p",
    "ui",
  ],
  "the linter has nothing to say": [
    bin("oxlint"),
    "--type-aware",
    "src",
    "test",
    "bench",
    "scripts",
    "ui/src",
  ],
  "no file, export or dependency is unused": [bin("knip")],
};

for (const [what, command] of Object.entries(CHECKS)) {
  test(what, async () => {
    const {
      exitCode,
      stdout,
      stderrTail: errors,
    } = await run(command, { cwd: ROOT, timeoutMs: 300_000, allowFailure: true });
    assert.equal(exitCode, 0, `${stdout.toString()}${errors}`.slice(-8000));
  });
}
