import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { BlockDone, BlockJob } from "./block-deflater.ts";
import { compileDeflate } from "./compile.ts";

export interface DeflatePoolOptions {
  /** Threads at most. Default: the processors this process may use, at most 16 (a thread holds about 8 MiB). */
  readonly threads?: number | undefined;
}

/** Compressor threads that several streams may share. They are started when work comes and end with the pool. */
export interface DeflatePool extends AsyncDisposable {
  /** Blocks that are worth giving at once: enough to keep every thread busy. */
  readonly depth: number;
  /** True when threads run already, so that even little work is cheaper with them than on the calling thread. */
  readonly isStarted: boolean;
  /** Takes the job's buffer over and gives it back. Callers bound what they have under way by `depth`. */
  deflate(job: BlockJob): Promise<BlockDone>;
}

interface Waiter {
  readonly resolve: (done: BlockDone) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  /** In the order the jobs were posted, which is the order of the answers. */
  readonly waiters: Waiter[];
}

/** Makes a pool; nothing is started before the first job. The caller disposes of it. */
export function createDeflatePool(options: DeflatePoolOptions = {}): DeflatePool {
  const size = Math.max(1, options.threads ?? Math.min(16, availableParallelism()));
  const threads: Thread[] = [];
  let module: WebAssembly.Module | undefined;
  const pick = (): Thread => {
    const idle = threads.find((thread) => thread.waiters.length === 0);
    if (idle !== undefined) return idle;
    if (threads.length === size)
      return threads.reduce((best, thread) =>
        thread.waiters.length < best.waiters.length ? thread : best,
      );
    module ??= compileDeflate();
    const thread = startThread(module);
    threads.push(thread);
    return thread;
  };
  return {
    depth: size * 2,
    get isStarted() {
      return threads.length > 0;
    },
    deflate(job) {
      const { worker, waiters } = pick();
      return new Promise((resolve, reject) => {
        waiters.push({ resolve, reject });
        worker.postMessage(job, [job.input.buffer]);
      });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(threads.splice(0).map(({ worker }) => worker.terminate()));
    },
  };
}

function startThread(module: WebAssembly.Module): Thread {
  const file = import.meta.url.endsWith(".ts") ? "./deflate-worker.ts" : "./deflate-worker.js";
  const worker = new Worker(new URL(file, import.meta.url), { workerData: module });
  const waiters: Waiter[] = [];
  const fail = (error: unknown): void => {
    for (const waiter of waiters.splice(0)) waiter.reject(error);
  };
  worker.on("message", (done: BlockDone) => waiters.shift()?.resolve(done));
  worker.on("error", fail);
  worker.on("exit", () => fail(new Error("a compressor thread ended before its work")));
  return { worker, waiters };
}
