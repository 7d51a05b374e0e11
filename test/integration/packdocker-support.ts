import { gunzipSync } from "node:zlib";
import {
  configOf,
  imageFrom as imageOf,
  parseReference,
  type Image,
} from "../../src/images/oci/index.ts";
import { readTar } from "../../src/images/tar/index.ts";
import type { Store } from "../../src/images/store/index.ts";

export { configOf };

/** An image that was pushed to a registry over a store. */
export async function imageFrom(
  store: Store,
  repository: string,
  tag: string,
  host: string,
): Promise<Image> {
  const descriptor = await store.resolve({
    ...parseReference(`${host}/${repository}:${tag}`),
    registry: "store",
  });
  return imageOf(store, descriptor);
}

/** Files of the tool's layers and the project's, by path; one map a layer. Layers of more than 4 MiB are left out. */
export async function layersOf(image: Image): Promise<readonly ReadonlyMap<string, string>[]> {
  const all: Map<string, string>[] = [];
  for (const layer of await image.layers()) {
    const { size, mediaType } = await layer.descriptor();
    const files = new Map<string, string>();
    all.push(files);
    if (size > 4 * 2 ** 20) continue;
    const chunks: Uint8Array[] = [];
    for await (const chunk of layer.open()) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const tar = mediaType.endsWith("gzip") ? gunzipSync(bytes) : bytes;
    if (!tar.subarray(257, 262).equals(Buffer.from("ustar"))) continue;
    for await (const { entry, content } of readTar(once(tar))) {
      const parts: Uint8Array[] = [];
      for await (const part of content) parts.push(part);
      files.set(entry.path, Buffer.concat(parts).toString("utf8"));
    }
  }
  return all;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
