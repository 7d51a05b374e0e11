import { createHash } from "node:crypto";
import type { JsonCache, LayerStore } from "../../src/images/python-packages/index.ts";

/** A layer store in memory that checks what it is given and counts what was put. */
export interface MemoryLayerStore extends LayerStore {
  readonly blobs: Map<string, Buffer>;
}

export function memoryLayerStore(): MemoryLayerStore {
  const blobs = new Map<string, Buffer>();
  return {
    blobs,
    has: async ({ digest }) => blobs.has(digest),
    async put({ digest, size }, content) {
      const bytes = Buffer.concat(await Array.fromAsync(content));
      if (
        bytes.byteLength !== size ||
        `sha256:${createHash("sha256").update(bytes).digest("hex")}` !== digest
      )
        throw new Error(`wrong bytes for ${digest}`);
      blobs.set(digest, bytes);
    },
    async *open({ digest }): AsyncGenerator<Uint8Array, void, undefined> {
      const bytes = blobs.get(digest);
      if (bytes === undefined) throw new Error(`no blob ${digest}`);
      yield bytes;
    },
  };
}

/** A JSON cache in memory; values pass through text, as on disk. */
export function memoryJsonCache(): JsonCache {
  const values = new Map<string, string>();
  return {
    async get(key) {
      const text = values.get(key);
      return text === undefined ? undefined : (JSON.parse(text) as unknown);
    },
    async set(key, value) {
      values.set(key, JSON.stringify(value));
    },
  };
}
