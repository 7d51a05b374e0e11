/** A free worker waits for company no longer than this share of a call's time. */
const SHARE_OF_CALL = 1 / 4;
/** Shorter waits cost more than they bring, in ms. */
const LEAST_MS = 0.5;
/** Longest wait where nothing else is said, in ms. */
const DEFAULT_MAX_MS = 5;
/** Where waits were mostly for nothing, one chance in so many is taken all the same, to see whether that has changed. */
const PROBE_EVERY = 32;

/**
 * Learns whether a worker that has just come free is to wait for company. Clients that were answered together often ask again together: then a
 * short wait makes one call of what would be two. Where they do not, waiting is given up. Nothing waits but right behind a call, so a request
 * that finds a worker idle goes on at once.
 */
export class BatchWait {
  readonly #maxMs: number;
  readonly #workers: () => number;
  #callMs = 0;
  #returnedAt = -Infinity;
  /** Requests that were waiting or inside when the last call came back, those that it answered included. */
  #company = 0;
  /** Share of the waits that brought the company, of the last ones. */
  #success = 1;
  #chances = 0;
  /** Of the call that came back last: undefined while there was no reason to wait behind it. */
  #isWaiting: boolean | undefined;

  /** @param maxMs - longest wait, in ms; 0 for none. Default 5 */
  constructor(workers: () => number, maxMs: number = DEFAULT_MAX_MS) {
    this.#workers = workers;
    this.#maxMs = maxMs;
  }

  /** A call has come back. @param company - requests that wait or are inside, those that it answered included */
  returned(now: number, callMs: number, company: number): void {
    this.#callMs += (callMs - this.#callMs) / (this.#callMs === 0 ? 1 : 8);
    this.#returnedAt = now;
    this.#company = company;
    this.#isWaiting = undefined;
  }

  /** How much longer a free worker is to wait, in ms, while so many requests could go on together; 0 when they are to go on. */
  leftMs(now: number, requests: number): number {
    const wanted = Math.ceil(this.#company / Math.max(1, this.#workers()));
    const bound = Math.min(this.#maxMs, this.#callMs * SHARE_OF_CALL);
    const left = this.#returnedAt + bound - now;
    const isLong = left > 0 && bound >= LEAST_MS && requests < wanted;
    if (this.#isWaiting === undefined && isLong) this.#isWaiting = this.#isWorthIt();
    if (this.#isWaiting !== true) return 0;
    if (isLong) return left;
    this.#success += ((requests >= wanted ? 1 : 0) - this.#success) / 8;
    this.#isWaiting = false;
    return 0;
  }

  #isWorthIt(): boolean {
    if (this.#success >= 0.5) return true;
    this.#chances += 1;
    return this.#chances % PROBE_EVERY === 0;
  }
}
