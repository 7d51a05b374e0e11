import { open } from "node:fs/promises";
import type { Bytes } from "../../../ground/bytes/index.ts";
import type { Content } from "./contracts.ts";

/** One file that takes the bytes of many; small pieces are gathered before they are written. */
export interface Heap extends AsyncDisposable {
  /** Appends a stream. @returns where its bytes are; readable after `flush`. */
  append(content: Bytes): Promise<Content>;
  flush(): Promise<void>;
}

const GATHER_BYTES = 1 << 20;

/** Makes an empty heap at `path`; disposing closes it and leaves the file. */
export async function openHeap(path: string): Promise<Heap> {
  const file = await open(path, "w");
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  let end = 0;
  const flush = async (): Promise<void> => {
    const buffer = Buffer.concat(gathered);
    gathered = [];
    gatheredBytes = 0;
    for (let offset = 0; offset < buffer.byteLength;)
      offset += (await file.write(buffer, offset)).bytesWritten;
  };
  return {
    async append(content) {
      const offset = end;
      for await (const chunk of content) {
        gathered.push(chunk);
        gatheredBytes += chunk.byteLength;
        end += chunk.byteLength;
        if (gatheredBytes >= GATHER_BYTES) await flush();
      }
      return { kind: "range", path, offset, size: end - offset };
    },
    flush,
    async [Symbol.asyncDispose]() {
      await file.close();
    },
  };
}
