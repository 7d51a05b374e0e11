import { timingSafeEqual } from "node:crypto";
import { InferenceError } from "../../../ground/errors/index.ts";
import { digestOf, type ApiKey, type Scope } from "./parse-keys.ts";
import { RateLimit } from "./rate-limit.ts";

/** What came of a request, as metrics count it. */
export type Outcome = "admitted" | "missing" | "unknown" | "scope" | "rate";

/** A key that was shown, and what its holder may still ask. */
export interface KeyHolder {
  readonly key: ApiKey;
  readonly limit: RateLimit | undefined;
}

/** Longest key that is looked at. */
const MAX_CHARACTERS = 4096;

/** The keys of a server. They can be exchanged while it runs; who keeps name and rate keeps what is left of it. */
export class ApiKeys {
  #holders: readonly KeyHolder[] = [];
  readonly #now: () => number;
  readonly #onOutcome: (outcome: Outcome, name: string) => void;

  /** @param onOutcome - told of every request, with the key's name, which is empty where no key was known */
  constructor(
    keys: readonly ApiKey[],
    onOutcome: (outcome: Outcome, name: string) => void = () => undefined,
    now: () => number = () => performance.now(),
  ) {
    this.#onOutcome = onOutcome;
    this.#now = now;
    this.replace(keys);
  }

  /** True when some key may manage models. */
  get hasManager(): boolean {
    return this.#holders.some(({ key }) => key.scopes.has("manage"));
  }

  /** Takes other keys into use. */
  replace(keys: readonly ApiKey[]): void {
    const before = new Map(this.#holders.map((holder) => [holder.key.name, holder]));
    this.#holders = keys.map((key) => {
      const old = before.get(key.name);
      const isSame =
        old?.key.rate?.perSecond === key.rate?.perSecond &&
        old?.key.rate?.burst === key.rate?.burst;
      const limit = key.rate === undefined ? undefined : new RateLimit(key.rate, this.#now());
      return { key, limit: isSame && old !== undefined ? old.limit : limit };
    });
  }

  /**
   * Who may ask, by the key that was shown; each request takes from the key's rate. Every key is compared, in a time that does not depend
   * on how much of it was right.
   * @throws InferenceError `KEY_REFUSED` without a key that is known, `SCOPE_REFUSED`, `RATE_LIMITED`
   */
  admit(shown: string | undefined, scope: Scope): KeyHolder {
    if (shown === undefined || shown === "") {
      this.#onOutcome("missing", "");
      throw new InferenceError("KEY_REFUSED", "answer a request: it shows no API key", {
        hint: "send the header Authorization: Bearer KEY, or X-API-Key",
      });
    }
    const holder = this.#find(shown);
    if (holder === undefined) {
      this.#onOutcome("unknown", "");
      throw new InferenceError("KEY_REFUSED", "answer a request: its API key is not known here", {
        hint: "ask who runs the server for a key",
      });
    }
    const { name, scopes } = holder.key;
    if (!scopes.has(scope)) {
      this.#onOutcome("scope", name);
      throw new InferenceError(
        "SCOPE_REFUSED",
        `answer a request: the key "${name}" is not for that, which wants the scope ${scope}`,
        { hint: `add ${scope} to the scopes of the key` },
      );
    }
    this.charge(holder);
    this.#onOutcome("admitted", name);
    return holder;
  }

  /** Takes one more request from the key's rate. @throws InferenceError `RATE_LIMITED` with the seconds to wait */
  charge({ key, limit }: KeyHolder): void {
    const seconds = limit?.take(this.#now()) ?? 0;
    if (seconds === 0) return;
    this.#onOutcome("rate", key.name);
    throw new InferenceError(
      "RATE_LIMITED",
      `answer a request: the key "${key.name}" has used up its rate`,
      {
        retryAfterSeconds: Math.max(1, Math.ceil(seconds)),
        hint: "try again after the time that Retry-After says",
      },
    );
  }

  #find(shown: string): KeyHolder | undefined {
    if (shown.length > MAX_CHARACTERS) return undefined;
    const digest = digestOf(shown);
    let found: KeyHolder | undefined;
    for (const holder of this.#holders)
      if (timingSafeEqual(holder.key.digest, digest)) found = holder; // no early end
    return found;
  }
}
