import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { bundleServer } from "../../scripts/bundle-server.ts";
import { loadedBy } from "../support/loaded-by.ts";

/** What an image's entry may load before it starts a worker, in bytes. */
const MAX_ENTRY_BYTES = 80_000;
/** What the server may load at all before it answers, in bytes. */
const MAX_START_BYTES = 750_000;

test("the server's entry starts a worker before it loads the server, and nothing reads every export of Node's modules", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "slipway-bundle-"));
  t.after(() => rmSync(folder, { recursive: true }));
  await bundleServer(folder);
  const files = readdirSync(folder);
  const texts = new Map(files.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
  const bytesOf = (names: ReadonlySet<string>): number =>
    [...names].reduce((sum, name) => sum + (texts.get(name)?.length ?? 0), 0);

  const entry = loadedBy("server.mjs", texts);
  assert.ok(bytesOf(entry) < MAX_ENTRY_BYTES, `the entry loads ${bytesOf(entry)} bytes`);
  const server = dynamicIn(entry, texts).filter((name) => name.includes("serve-until-stopped"));
  assert.equal(server.length, 1, "the rest of the server is loaded by the entry");
  const all = new Set([...entry, ...server.flatMap((name) => [...loadedBy(name, texts)])]);
  assert.ok(bytesOf(all) < MAX_START_BYTES, `the start loads ${bytesOf(all)} bytes`);
  for (const [name, text] of texts)
    assert.doesNotMatch(
      text,
      /\bfrom ?"node:|\bimport ?"node:/,
      `${name} imports a module of Node`,
    );
});

/** Files that are loaded when they are needed. */
function dynamicIn(names: ReadonlySet<string>, texts: ReadonlyMap<string, string>): string[] {
  return [...names].flatMap((name) =>
    [...(texts.get(name) ?? "").matchAll(/\bimport\("\.\/([^"]+)"\)/g)].map(
      ([, next = ""]) => next,
    ),
  );
}
