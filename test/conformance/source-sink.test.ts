import { memoryStore } from "../support/memory-store.ts";
import { sourceSinkSuite } from "../support/source-sink-suite.ts";

// The suite over something that cannot have a bug of its own; the real places run it beside their own tests.
sourceSinkSuite("memory", {
  make: async () => ({
    place: memoryStore(),
    reference: (tag) => ({ registry: "host.test", repository: "team/iris", tag }),
  }),
});
