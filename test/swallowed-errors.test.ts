import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

const SOURCES = join(import.meta.dirname, "../src");

/** Forms that drop an error unseen: `catch {` and `.catch(() => …)`. */
const SWALLOWS = /\bcatch \{|\.catch\(\(\)/;
const SPEAKS = /\/\/|\*\/|\bthrow\b/;

test("whatever drops every error says in a word why each of them is right", async () => {
  const silent: string[] = [];
  let seen = 0;
  for await (const file of glob("**/*.ts", { cwd: SOURCES })) {
    if (file.endsWith(".test.ts")) continue;
    const lines = (await readFile(join(SOURCES, file), "utf8")).split("\n");
    for (const [index, line] of lines.entries()) {
      if (!SWALLOWS.test(line)) continue;
      seen += 1;
      const around = lines.slice(Math.max(0, index - 2), index + 4).join("\n");
      if (!SPEAKS.test(around)) silent.push(`${file}:${index + 1} ${line.trim()}`);
    }
  }
  assert.ok(seen > 40, `only ${seen} places were seen`);
  assert.deepEqual(silent, [], "name the one error (see noFile), or say why all of them are right");
});
