import type { Ports } from "../../models/description/index.ts";
import type { HttpServer, TlsFiles } from "../transport/index.ts";
import type { ModelRepository } from "../plane/index.ts";
import type { ApiKey, ApiKeys } from "./keys/index.ts";
import type { Logger } from "./log/index.ts";

/** A server that answers. */
export interface RunningServer extends AsyncDisposable {
  readonly ports: Ports;
  readonly models: ModelRepository;
  /** Loads the first model anew, as it lies there now; what does not load changes nothing. Never rejects. */
  reload(): Promise<void>;
  /**
   * Uses another certificate for connections that come from now on.
   * @throws Error when certificate and key do not belong together; the ones before go on
   */
  renewTls(tls: TlsFiles): void;
  /** Takes other API keys into use; nothing on a server that asks for none. */
  readonly replaceKeys: (keys: readonly ApiKey[]) => void;
  /**
   * Not ready from now on; after `delayMs` (for load balancers to notice; default 0) takes no new connections, answers what is
   * under way for at most `graceMs` (default 25,000), then ends the workers.
   */
  stop(options?: { readonly delayMs?: number; readonly graceMs?: number }): Promise<void>;
}

/** What stops with a server: it takes no more clients, then cuts off those that are left. */
export type Stoppable = Pick<HttpServer, "stop" | "cut" | "renewTls">;

export interface RunningParts {
  readonly ports: Ports;
  readonly models: ModelRepository;
  readonly servers: readonly Stoppable[];
  /** Ended last, in this order. */
  readonly closers: readonly (() => void | Promise<void>)[];
  readonly log: Logger;
  readonly keys: ApiKeys | undefined;
  /** See `RunningServer.reload`. */
  readonly reload: () => Promise<void>;
}

/** Puts the end of a server together. */
export function runningServer(parts: RunningParts): RunningServer {
  const { ports, models, servers, keys, reload } = parts;
  let stopping: Promise<void> | undefined;
  return {
    ports,
    models,
    reload,
    replaceKeys: (given) => keys?.replace(given),
    renewTls: (tls) => servers.forEach((server) => server.renewTls(tls)),
    stop: ({ delayMs = 0, graceMs = 25_000 } = {}) => (stopping ??= stop(parts, delayMs, graceMs)),
    [Symbol.asyncDispose]: () => (stopping ??= stop(parts, 0, 5000)),
  };
}

const MAX_LINGER_MS = 1000;
/** For answers that say that the server has stopped. */
const LAST_WORDS_MS = 500;

/** Readiness first, then connections, then workers: each step leaves nothing behind that the next one would cut off. */
async function stop(
  { models, servers, closers, log }: RunningParts,
  delayMs: number,
  graceMs: number,
): Promise<void> {
  models.drain();
  log.info({ delayMs, graceMs }, "stopping");
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  let timer = setTimeout(() => {
    log.warn({}, "stopping took too long: what is under way is cut off");
    models.abandon(); // those who wait for the model are told so
    timer = setTimeout(() => servers.forEach((server) => server.cut()), LAST_WORDS_MS);
  }, graceMs);
  await Promise.all(servers.map((server) => server.stop(Math.min(delayMs, MAX_LINGER_MS))));
  await models[Symbol.asyncDispose]();
  clearTimeout(timer);
  for (const close of closers) await close();
  log.info({}, "stopped");
}
