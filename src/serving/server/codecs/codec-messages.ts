import type { Transferable } from "node:worker_threads";
import type { CodecName, PostedError } from "../../protocols/index.ts";

/** What a thread is sent. */
export interface ToCodecThread {
  readonly name: CodecName;
  readonly input: unknown;
}

/** What it answers. */
export type FromCodecThread = { readonly value: unknown } | { readonly error: PostedError };

/** Bytes below this are copied: to hand them over costs as much. */
const SMALL = 16_384;

/**
 * A value of plain data, maps and bytes, ready to be posted: views of larger memory are copied, since all of it would travel with them, and
 * memory that a view fills alone is handed over, which leaves the sender's view empty.
 * @param bytes - `kept`: nothing is handed over, all is copied
 */
export function packed<T>(
  value: T,
  bytes: "given" | "kept",
): { readonly message: T; readonly transfer: Transferable[] } {
  const transfer = new Set<ArrayBuffer>();
  const pack = (part: unknown): unknown => {
    if (typeof part !== "object" || part === null) return part;
    if (part instanceof Uint8Array)
      return packBytes(part, bytes === "given" ? transfer : undefined);
    if (Array.isArray(part)) return typeof part[0] === "object" ? part.map(pack) : part;
    if (part instanceof Map) return part; // JSON, which has no bytes
    return Object.fromEntries(Object.entries(part).map(([key, member]) => [key, pack(member)]));
  };
  const message = pack(value) as T; // the same value with other bytes
  return { message, transfer: [...transfer] };
}

function packBytes(bytes: Uint8Array, transfer: Set<ArrayBuffer> | undefined): Uint8Array {
  const { buffer, byteLength } = bytes;
  if (
    transfer === undefined ||
    byteLength < SMALL ||
    byteLength !== buffer.byteLength ||
    !(buffer instanceof ArrayBuffer)
  )
    return Uint8Array.from(bytes);
  transfer.add(buffer);
  return new Uint8Array(buffer);
}
