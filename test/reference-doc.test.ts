import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "../src/ground/process/index.ts";
import { requirePeer } from "./support/peers.ts";

test("the reference says what --help and the schema say", async () => {
  const script: { renderReference(): Promise<Readonly<Record<string, string>>> } = await import(
    join(import.meta.dirname, "../scripts/reference.js")
  );
  const pages = Object.entries(await script.renderReference());
  assert.equal(pages.length, 2);
  for (const [name, text] of pages) {
    assert.ok(text.split("\n").length > 30, `${name} has content`);
    assert.ok(
      readFileSync(join(import.meta.dirname, "../docs", name), "utf8") === text,
      `run \`node scripts/reference.js\` and commit what it writes (${name})`,
    );
  }
});

test("groff reads the manual page without a warning", async (t) => {
  const groff = await requirePeer(t, "groff");
  if (groff === undefined) return;
  const script: { renderManPage(): Promise<string> } = await import(
    join(import.meta.dirname, "../scripts/man-page.js")
  );
  const { stdout, stderrTail } = await run([groff, "-man", "-ww", "-Tutf8", "-P-cbou"], {
    stdin: await script.renderManPage(),
    timeoutMs: 60_000,
  });
  assert.equal(stderrTail, "");
  const text = stdout.toString("utf8");
  for (const title of ["slipway serve [folder]", "slipway train run", "EXIT STATUS"])
    assert.ok(text.includes(title), title);
});
