import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { test } from "node:test";
import { copy } from "../../src/images/copy/index.ts";
import { createTempDir } from "../../src/ground/process/index.ts";
import {
  createImageArchive,
  createLayout,
  openArchive,
  tagReference,
} from "../../src/images/layout/index.ts";
import type { Reference } from "../../src/images/oci/index.ts";
import { createRegistry } from "../../src/images/registry/index.ts";
import { createStore } from "../../src/images/store/index.ts";
import { startRegistry } from "../support/registry-fixture.ts";
import { putSmallIndex } from "../support/small-image.ts";
import { sourceSinkSuite } from "../support/source-sink-suite.ts";

/** Files that an unfinished write left in a store or layout. */
async function unfinishedOf(folder: string): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(relative(folder, entry.parentPath), entry.name));
  return paths.filter(
    (path) =>
      path.startsWith("tmp/") ||
      path.startsWith("registry/uploads/") ||
      basename(path).startsWith("."),
  );
}

sourceSinkSuite("store", {
  async make(t) {
    const folder = await createTempDir("suite");
    const store = createStore({
      dataDir: join(folder.path, "data"),
      cacheDir: join(folder.path, "cache"),
    });
    t.after(() => folder[Symbol.asyncDispose]());
    return {
      place: store,
      reference: (tag) => ({ registry: "store", repository: "iris", tag }),
      leftovers: () => unfinishedOf(store.dataDir),
    };
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

sourceSinkSuite("our registry, by our client", {
  async make(t) {
    const server = await startRegistry();
    const registry = createRegistry({ host: `127.0.0.1:${server.server.port}` });
    t.after(async () => {
      await registry[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    });
    const repository = registry.repository("team/iris");
    return {
      place: repository,
      reference: (tag) => ({ registry: registry.host, repository: "team/iris", tag }),
      leftovers: () => unfinishedOf(server.store.dataDir),
    };
  },
});

test("an image goes from a layout through the registry into another store, and back out as an archive", async () => {
  await using folder = await createTempDir("round");
  await using server = await startRegistry();
  await using registry = createRegistry({ host: `127.0.0.1:${server.server.port}` });
  const repository = registry.repository("team/iris");
  const reference: Reference = { registry: registry.host, repository: "team/iris", tag: "v1" };
  const layout = await createLayout(join(folder.path, "layout"));
  const index = await putSmallIndex(layout, ["amd64", "arm64"]);
  await layout.tag(index, tagReference("v1"));
  const pushed = await copy(layout, repository, { from: tagReference("v1"), to: [reference] });
  assert.deepEqual([pushed.descriptor.digest, pushed.blobsSkipped], [index.digest, 0]);
  const again = await copy(layout, repository, { from: tagReference("v1"), to: [reference] });
  assert.equal(again.bytesUploaded, 0);
  const store = createStore({
    dataDir: join(folder.path, "data"),
    cacheDir: join(folder.path, "cache"),
  });
  await copy(repository, store, { from: reference, to: [reference] });
  const archive = await createImageArchive(store, [
    { descriptor: await store.resolve(reference), references: [reference] },
  ]);
  await using read = await openArchive(archive.open());
  assert.equal((await read.resolve(reference)).digest, index.digest);
  const other = registry.repository("other/iris");
  const mounted = await copy(repository, other, {
    from: reference,
    to: [{ ...reference, repository: "other/iris" }],
  });
  assert.ok(
    mounted.blobsMounted > 0 && mounted.blobsUploaded < mounted.blobsMounted,
    `${mounted.blobsMounted} mounted, ${mounted.blobsUploaded} uploaded`,
  );
});
