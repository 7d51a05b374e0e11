import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { bundleCommands } from "../../scripts/bundle-commands.ts";
import { loadedBy } from "../support/loaded-by.ts";

/** What every command may load before it knows which command it is, in bytes. */
const MAX_ENTRY_BYTES = 120_000;
const CLI = resolve(import.meta.dirname, "../../src/cli");

test("the command line loads little before it knows the command, and finds files where the build has them", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "slipway-bundle-"));
  t.after(() => rmSync(folder, { recursive: true }));
  await bundleCommands(folder);
  const texts = new Map(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]),
  );

  const loaded = loadedBy("main.js", texts);
  const bytes = [...loaded].reduce((sum, name) => sum + (texts.get(name)?.length ?? 0), 0);
  assert.ok(bytes < MAX_ENTRY_BYTES, `the entry loads ${bytes} bytes`);

  const places = [...texts.values()].flatMap((text) =>
    [
      ...text.matchAll(/new URL\("([^"]+)", ?import\.meta\.url\)/g),
      ...text.matchAll(/\.join\(import\.meta\.dirname, ?"([^"]+)"\)/g),
    ].map(([, place = ""]) => place),
  );
  assert.ok(places.length > 5, `only ${places.length} files say where they lie`);
  for (const place of places) {
    const source = join(CLI, place.replace(/\.js$/, ".ts"));
    assert.ok(existsSync(source), `"${place}" is not in the sources`);
  }
});
