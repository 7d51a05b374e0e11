// A process that writes images into a store until it is ended; started by the tests of the store.
// Arguments: data folder, cache folder, prefix of the names, number of images (0: without end).
import { randomBytes } from "node:crypto";
import { createStore } from "../../src/images/store/index.ts";
import { putSmallImage } from "./small-image.ts";

const [dataDir = "", cacheDir = "", prefix = "", count = "0"] = process.argv.slice(2);
const store = createStore({ dataDir, cacheDir });
for (let at = 0; count === "0" || at < Number(count); at += 1) {
  // A layer that every writer has, and one of its own that takes several writes.
  const image = await putSmallImage(store, {
    compress: false,
    seed: `${prefix}-${at}`,
    layers: [{ "shared.txt": `shared ${at % 5}` }, { "own.bin": randomBytes(1_500_000) }],
  });
  await store.tag(image, { registry: "store", repository: prefix, tag: `v${at % 7}` });
  await store.cache("facts").set(`${prefix}-${at}`, at);
  process.stdout.write(`${at}\n`);
}
await store[Symbol.asyncDispose]();
