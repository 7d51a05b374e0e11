import { createStore } from "../../src/images/store/index.ts";
import { digestOf, MEDIA_TYPES } from "../../src/images/oci/index.ts";
import { randomBytesOf } from "./random-image.ts";

/**
 * A process that puts one blob into a store, to be killed: `pull-child.ts DATA CACHE SEED BYTES [STOP]`. Prints where it began to read; at STOP
 * bytes it prints `stopped`, and waits.
 */
const [dataDir = "", cacheDir = "", seed = "0", size = "0", stop] = process.argv.slice(2);
const bytes = randomBytesOf(Number(seed), Number(size));
const store = createStore({ dataDir, cacheDir });
const timer = setInterval(() => undefined, 1000);
await store.putFrom(
  { mediaType: MEDIA_TYPES.layerTar, digest: digestOf(bytes), size: bytes.byteLength },
  async function* (offset: number): AsyncGenerator<Uint8Array> {
    process.stdout.write(`from ${offset}\n`);
    for (let at = offset; at < bytes.byteLength; at += 2 ** 20) {
      if (stop !== undefined && at >= Number(stop)) {
        process.stdout.write("stopped\n");
        await new Promise(() => undefined);
      }
      yield bytes.subarray(at, at + 2 ** 20);
    }
  },
);
clearInterval(timer);
await store[Symbol.asyncDispose]();
