import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { readRange } from "../../ground/bytes/index.ts";

/** Hashes a file while it is being written from its beginning to its end. */
export interface FollowingHash extends AsyncDisposable {
  /** The next bytes of the file, before they are written. */
  chunk(bytes: Uint8Array): void;
  /** So many bytes are in the file. */
  written(bytes: number): void;
  /** Lower-case hex, when all was written. */
  digest(): Promise<string>;
}

export interface FollowHashOptions {
  readonly algorithm: "sha256" | "sha512";
  readonly path: string;
  readonly file: FileHandle;
  /** Bytes that it has already. */
  readonly start: number;
  /** Bytes that it will have. */
  readonly size: number;
}

/** What a thread is given; `shared` has two numbers of 64 bits. */
export interface HashThreadData {
  readonly path: string;
  readonly algorithm: string;
  readonly shared: SharedArrayBuffer;
}

/** Places in the shared memory: bytes that are in the file, and 1 when no more will come. */
export const WRITTEN = 0;
export const IS_LAST = 1;

/** From so many bytes on a thread costs less than it saves. */
const THREAD_BYTES = 64 * 2 ** 20;

/**
 * Begins to hash a file. A large one is hashed by a thread of its own, which reads behind the writer what the system still has in memory, so that
 * neither waits for the other.
 */
export async function followHash(options: FollowHashOptions): Promise<FollowingHash> {
  return options.size < THREAD_BYTES ? hashHere(options) : hashInThread(options);
}

async function hashHere({ algorithm, file, start }: FollowHashOptions): Promise<FollowingHash> {
  const hash = createHash(algorithm);
  if (start > 0)
    for await (const chunk of readRange(file, { start: 0, end: start })) hash.update(chunk);
  return {
    chunk: (bytes) => void hash.update(bytes),
    written: () => undefined,
    digest: () => Promise.resolve(hash.digest("hex")),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function hashInThread({ algorithm, path, start }: FollowHashOptions): FollowingHash {
  const shared = new SharedArrayBuffer(16);
  const state = new BigInt64Array(shared);
  const tell = (place: number, value: number): void => {
    Atomics.store(state, place, BigInt(value));
    Atomics.notify(state, WRITTEN);
  };
  tell(WRITTEN, start);
  const file = import.meta.url.endsWith(".ts") ? "./hash-thread.ts" : "./hash-thread.js";
  const workerData: HashThreadData = { path, algorithm, shared };
  const worker = new Worker(new URL(file, import.meta.url), { workerData });
  const answer = once(worker, "message") as Promise<[string]>; // what the thread sends
  answer.catch(() => undefined); // seen by whoever asks for the sum
  return {
    chunk: () => undefined,
    written: (bytes) => tell(WRITTEN, bytes),
    async digest() {
      tell(IS_LAST, 1);
      const [sum] = await answer;
      return sum;
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}
