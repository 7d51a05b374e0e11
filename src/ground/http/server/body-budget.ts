import { totalmem } from "node:os";

/** Memory that the bodies of requests may take at once, for all servers of a process together. */
export class BodyBudget {
  readonly maxBytes: number;
  #used = 0;

  /** @param maxBytes - whole bytes; a single body that is longer never fits */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Bytes that are taken now. */
  get used(): number {
    return this.#used;
  }

  /** Takes bytes when there are so many left. */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.maxBytes) return false;
    this.#used += bytes;
    return true;
  }

  /** Gives back what was taken. */
  give(bytes: number): void {
    this.#used -= bytes;
  }
}

/**
 * A quarter of the memory that this process may use, and never less than two of the largest bodies.
 * @param maxBodyBytes - what a single body may have
 */
export function defaultBodyBudget(maxBodyBytes: number): BodyBudget {
  const limit = process.constrainedMemory();
  const memory = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return new BodyBudget(Math.max(Math.floor(memory / 4), 2 * maxBodyBytes));
}
