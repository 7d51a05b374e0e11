import type { TestContext } from "node:test";
import { createRegistry } from "../../src/registry/index.ts";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { sourceSinkSuite, type SuitePlace } from "../support/source-sink-suite.ts";

sourceSinkSuite("docker-registry, anonymous", {
  async make(t: TestContext): Promise<SuitePlace | undefined> {
    const peer = await startDockerRegistry(t);
    if (peer === undefined) return undefined;
    const registry = createRegistry({ host: peer.host });
    t.after(() => registry[Symbol.asyncDispose]());
    return { place: registry.repository("team/model"), reference: (tag) => ({ registry: peer.host, repository: "team/model", tag }) };
  },
});
