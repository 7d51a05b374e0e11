import { readdir } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { createTempDir } from "../../src/internal/index.ts";
import { createLayout, tagReference } from "../../src/layout/index.ts";
import { createStore } from "../../src/store/index.ts";
import { sourceSinkSuite } from "../support/source-sink-suite.ts";

/** Files that an unfinished write left in a store or layout. */
async function unfinishedOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(relative(folder, entry.parentPath), entry.name));
  return paths.filter((path) => path.startsWith("tmp/") || basename(path).startsWith("."));
}

sourceSinkSuite("store", {
  async make(t) {
    const folder = await createTempDir("suite");
    const store = createStore({ dataDir: join(folder.path, "data"), cacheDir: join(folder.path, "cache") });
    t.after(() => folder[Symbol.asyncDispose]());
    return { place: store, reference: (tag) => ({ registry: "store", repository: "iris", tag }), leftovers: () => unfinishedOf(store.dataDir) };
  },
});

sourceSinkSuite("layout", {
  async make(t) {
    const folder = await createTempDir("suite");
    const layout = await createLayout(join(folder.path, "layout"));
    t.after(() => folder[Symbol.asyncDispose]());
    return { place: layout, reference: tagReference, leftovers: () => unfinishedOf(layout.path) };
  },
});
