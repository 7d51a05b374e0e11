import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createTempDir } from "../../src/internal/index.ts";
import { createLayout } from "../../src/layout/index.ts";
import { createStore } from "../../src/store/index.ts";
import { memoryStore } from "../support/memory-store.ts";
import { sourceSinkSuite } from "../support/source-sink-suite.ts";

sourceSinkSuite("memory", {
  make: async () => ({ place: memoryStore(), reference: (tag) => ({ registry: "host.test", repository: "team/iris", tag }) }),
});

sourceSinkSuite("layout", {
  async make(t) {
    const folder = await createTempDir("suite-layout");
    t.after(() => folder[Symbol.asyncDispose]());
    const place = await createLayout(join(folder.path, "image"));
    return { place, reference: (tag) => ({ registry: "", repository: "", tag }), leftovers: () => strayFiles(folder.path) };
  },
});

sourceSinkSuite("store", {
  async make(t) {
    const folder = await createTempDir("suite-store");
    const place = createStore({ dataDir: join(folder.path, "data"), cacheDir: join(folder.path, "cache") });
    t.after(async () => {
      await place[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    });
    return { place, reference: (tag) => ({ registry: "store", repository: "iris", tag }), leftovers: () => strayFiles(folder.path) };
  },
});

/** Files of a blob's size or so that are no blobs: what a failed put would leave. */
async function strayFiles(folder: string): Promise<readonly string[]> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  return files.filter((file) => file.isFile() && !/^(index\.json|oci-layout|[0-9a-f]{64}(\.json)?|.*\.lock)$/.test(file.name)).map((file) => join(file.parentPath, file.name));
}
