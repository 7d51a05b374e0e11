import { readFile } from "node:fs/promises";
import { InferenceError } from "../../../ground/errors/index.ts";
import type { Worker } from "./worker.ts";

export interface MemoryWatch {
  stop(): void;
}

const EVERY_MS = 500;

/** Ends a worker whose private memory (`RssAnon`) is above the limit, in bytes. Looks twice a second; Linux only, elsewhere it does nothing. */
export function watchMemory(
  limit: number,
  workers: () => readonly (Worker | undefined)[],
  model: string,
): MemoryWatch {
  const look = async (): Promise<void> => {
    for (const worker of workers()) {
      if (worker?.process.pid === undefined) continue;
      const bytes = await privateMemory(worker.process.pid);
      if (bytes <= limit) continue;
      const why = `call the model "${model}": the worker used ${mebi(bytes)} MiB of memory, its limit is ${mebi(limit)} MiB`;
      worker.kill(
        new InferenceError("WORKER_CRASHED", why, {
          model,
          hint: "raise the memory limit of workers, or send smaller requests",
        }),
      );
    }
  };
  const timer = setInterval(() => void look(), EVERY_MS); // look() does not reject: a process that is gone reads as 0
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

/** Private memory of a process in bytes; 0 when it cannot be read. */
async function privateMemory(pid: number): Promise<number> {
  // Any error: the process has just ended.
  const text = await readFile(`/proc/${pid}/status`, "latin1").catch(() => "");
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
}

function mebi(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
