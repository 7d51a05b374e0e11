import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

test("the reference says what --help and the schema say", async () => {
  const script: { renderReference(): Promise<Readonly<Record<string, string>>> } = await import(
    join(import.meta.dirname, "../scripts/reference.js")
  );
  const pages = Object.entries(await script.renderReference());
  assert.equal(pages.length, 2);
  for (const [name, text] of pages) {
    assert.ok(text.split("\n").length > 30, `${name} has content`);
    assert.equal(
      readFileSync(join(import.meta.dirname, "../docs/reference", name), "utf8"),
      text,
      `run \`node scripts/reference.js\` and commit what it writes (${name})`,
    );
  }
});
