import type { Rate } from "./parse-keys.ts";

/** A bucket of tokens: it is full at first, each request takes one, and it fills again at the rate. */
export class RateLimit {
  readonly #rate: Rate;
  #tokens: number;
  #at: number;

  /** @param now - in ms of a clock that only goes forward */
  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#at = now;
  }

  /** Takes a token. 0 when there was one, else the seconds until there is one. */
  take(now: number): number {
    const { perSecond, burst } = this.#rate;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) / 1000) * perSecond);
    this.#at = now;
    if (this.#tokens < 1) return (1 - this.#tokens) / perSecond;
    this.#tokens -= 1;
    return 0;
  }
}
