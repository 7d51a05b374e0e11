import { setTimeout as delay } from "node:timers/promises";
import type { CallOptions } from "../../ground/bytes/index.ts";
import { CATALOG_SCOPE } from "./auth/scope.ts";
import type { Registry, RegistryOptions, Repository } from "./contracts.ts";
import { readPages, textsOf } from "./content/listings.ts";
import { checkedRepository, createRepository } from "./create-repository.ts";
import { createHttpClient } from "../../ground/http/index.ts";
import { createTransport, type Transport } from "./transport/create-transport.ts";
import { createCounters } from "./transport/stats.ts";
import { createWarnings } from "./transport/warnings.ts";
import { createAdaptiveLimit } from "./upload/adaptive-limit.ts";
import { createKnownPlaces } from "./upload/known-places.ts";
import { quirksOf } from "./upload/quirks.ts";
import { cancelSession } from "./upload/session.ts";
import type { UploadContext, UploadSettings } from "./upload/upload-context.ts";

/** Makes a client of one registry. Nothing is asked until it is used; dispose it to close its connections. */
export function createRegistry(options: RegistryOptions): Registry {
  const {
    host,
    keychain,
    userAgent,
    timeouts,
    ca,
    hosts,
    environment: env,
    plainHttp: isPlainHttp = false,
  } = options;
  const client = createHttpClient({ userAgent, timeouts, ca, hosts, env });
  const counters = createCounters();
  const warnings = createWarnings(options.onWarning);
  const sleep = options.sleep ?? pause;
  const transportTo = (registry: string): Transport =>
    createTransport({ registry, client, keychain, isPlainHttp, counters, warnings, sleep });
  const transport = transportTo(host);
  const mirrors = (options.mirrors ?? []).map(transportTo);
  const uploads = uploadSettings(options);
  const places = createKnownPlaces({ registry: host, stateDir: options.stateDir });
  const reading = { mirrors, counters, sleep, large: { count: 0 } };
  const shared = { registry: host, transport, ...reading, uploads, places };
  const opened = new Map<
    string,
    { readonly context: UploadContext; readonly repository: Repository }
  >();
  return {
    host,
    repository(name) {
      const known = opened.get(name);
      if (known !== undefined) return known.repository;
      const context: UploadContext = {
        ...shared,
        name: checkedRepository(name),
        spare: new Map(),
      };
      const repository = createRepository(context);
      opened.set(name, { context, repository });
      return repository;
    },
    ping: (call = {}) => ping(transport, call),
    catalog: (call = {}) => catalog(transport, call),
    stats: () => ({ ...counters }),
    warnings: () => [...warnings.list],
    async [Symbol.asyncDispose]() {
      await places.save();
      for (const { context } of opened.values())
        for (const session of context.spare.values()) await cancelSession(context, session);
      client[Symbol.dispose]();
    },
  };
}

function uploadSettings({
  host,
  maxUploads,
  stateDir,
  chunkBytes,
}: RegistryOptions): UploadSettings {
  const limit = createAdaptiveLimit({ max: maxUploads });
  return { quirks: quirksOf(host), limit, stateDir, chunkBytes };
}

async function ping(transport: Transport, options: CallOptions): Promise<void> {
  const action = `reach registry "${transport.registry}"`;
  const response = await transport.call({
    action,
    method: "GET",
    target: "/v2/",
    scopes: [],
    accept: [200],
    signal: options.signal,
  });
  await response.discard();
}

async function* catalog(
  transport: Transport,
  options: CallOptions,
): AsyncGenerator<string, void, undefined> {
  const action = `list repositories of "${transport.registry}"`;
  const ask = (next: URL | undefined) =>
    transport.call({
      action,
      method: "GET",
      target: next ?? "/v2/_catalog",
      scopes: [CATALOG_SCOPE],
      accept: [200],
      signal: options.signal,
    });
  for await (const page of readPages(ask, { action, signal: options.signal }))
    yield* textsOf(page, "repositories", action);
}

async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal === undefined ? {} : { signal });
}
