import type { Descriptor } from "../../images/oci/index.ts";
import type { DigestMemory, JsonCache, PackContext, PackStore } from "../../images/pack/index.ts";

/** The same session, with a store and caches that read what is there and keep what is new for this run only: nothing is written down. */
export function withoutWriting(session: PackContext): PackContext {
  const caches = new Map<string, JsonCache>();
  return {
    ...session,
    store: forgetfulStore(session.store),
    digests: forgetfulDigests(session.digests),
    cache(namespace) {
      const kept = caches.get(namespace) ?? forgetfulCache(session.cache(namespace));
      caches.set(namespace, kept);
      return kept;
    },
  };
}

/** A cache that reads through, and remembers in memory only. */
function forgetfulCache(cache: JsonCache): JsonCache {
  const own = new Map<string, unknown>();
  return {
    get: async (key) => (own.has(key) ? own.get(key) : cache.get(key)),
    set: (key, value) => Promise.resolve(void own.set(key, value)),
  };
}

/** A store that reads what is there, and throws away what it is given. */
export function forgetfulStore(store: PackStore): PackStore {
  const seen = new Set<string>();
  return {
    async has(target, options) {
      return seen.has(target.digest) || store.has(target, options);
    },
    async put({ digest }: Descriptor, content) {
      for await (const chunk of content) void chunk;
      seen.add(digest);
    },
    putPlan: ({ digest }) => Promise.resolve(void seen.add(digest)),
    open: (target, options) => store.open(target, options),
  };
}

function forgetfulDigests(digests: DigestMemory): DigestMemory {
  return {
    get: (plan) => digests.get(plan),
    set: () => Promise.resolve(),
    resembles: (plan, options) => digests.resembles(plan, options),
  };
}
