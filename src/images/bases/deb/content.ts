import { open, type FileHandle } from "node:fs/promises";
import { readRange, type Bytes } from "../../../ground/bytes/index.ts";
import type { Content } from "./contracts.ts";

/** Reads contents, keeping each file that holds them open until it is disposed. */
export interface ContentReader extends AsyncDisposable {
  open(content: Content): Bytes;
  /** The whole content as one array; for small files. */
  bytes(content: Content): Promise<Uint8Array>;
}

/** Makes a reader. Nothing is opened before it is needed. */
export function createContentReader(): ContentReader {
  const files = new Map<string, Promise<FileHandle>>();
  const fileOf = (path: string): Promise<FileHandle> => {
    const known = files.get(path) ?? open(path, "r");
    files.set(path, known);
    return known;
  };
  async function* stream(content: Content): AsyncGenerator<Uint8Array, void, undefined> {
    if (content.kind === "bytes") yield content.bytes;
    else if (content.size > 0)
      yield* readRange(await fileOf(content.path), {
        start: content.offset,
        end: content.offset + content.size,
      });
  }
  return {
    open: stream,
    async bytes(content) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of stream(content)) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
    async [Symbol.asyncDispose]() {
      for (const file of await Promise.allSettled(files.values()))
        if (file.status === "fulfilled") await file.value.close();
    },
  };
}
