import { rm, writeFile } from "node:fs/promises";
import type { ModelDescription } from "../../models/description/index.ts";
import type { WorkerAhead } from "../runtime/index.ts";
import type { TlsFiles } from "../transport/index.ts";
import { followTls } from "./follow-tls.ts";
import { giveMemoryBack } from "./give-memory-back.ts";
import { followKeys, readKeys, withoutKeys } from "./keys/index.ts";
import { createLogger, levelOfPython } from "./log/index.ts";
import { parseObserveSettings } from "./observe/index.ts";
import { readPod } from "./pod.ts";
import type { EntryOptions } from "./run-entry.ts";
import { truth, type Environment, type SeldonLaunch } from "./seldon/launch.ts";
import { serveModel } from "./serve-model.ts";
import type { ServeOptions } from "./server-parts.ts";
import { allowedHostsOf, controlOf, imageOf, millisecondsIn, pageSettingOf } from "./server-env.ts";
import { readTls } from "./tls.ts";

/** Time for load balancers to see that a stopping server is not ready any more. */
const DRAIN_DELAY_MS = 1000;
/** The same below Seldon's operator: what its preStop hook, which wants a shell, sleeps. */
const OPERATOR_DELAY_MS = 10_000;
/** Time for what is under way, after that. */
const DRAIN_GRACE_MS = 25_000;

/** What an image's entry has found out before the server is loaded. */
export interface Running {
  readonly description: ModelDescription;
  readonly launch: SeldonLaunch;
  readonly signal: AbortSignal;
  readonly env: Environment;
  readonly onHangup: EntryOptions["onHangup"];
  /** The first worker, where one runs already. */
  readonly ahead: WorkerAhead | undefined;
}

/** Serves a model until the signal. @throws what `serveModel` throws */
export async function serveUntilStopped({
  description,
  launch,
  signal,
  env,
  onHangup,
  ahead,
}: Running): Promise<void> {
  const log = createLogger({ level: levelOfPython(launch.logLevel) });
  for (const note of launch.ignored) log.warn({}, `has no effect here: ${note}`);
  const pod = await readPod(env);
  const keySource = await readKeys(env, env["SLIPWAY_ROOT"]);
  const observe = {
    ...parseObserveSettings(env, description.name),
    logsRequests: launch.accessLog,
  };
  const server = await serveModel(withoutGrpc(pod.applyTo(description), launch), {
    ...serveOptions(launch),
    ...pod.options,
    observe,
    watch: truth(env["SLIPWAY_WATCH"]),
    ...controlOf(env),
    ...pageSettingOf(env),
    ...imageOf(env),
    ...allowedHostsOf(env),
    ...(keySource !== undefined && { keys: keySource.first, env: withoutKeys(env) }),
    log,
    signal,
    ahead,
  });
  const readAgain = (): Promise<TlsFiles | undefined> => readTls(env, env["SLIPWAY_ROOT"]);
  using follower =
    pod.options.tls === undefined
      ? undefined
      : followTls(pod.options.tls, readAgain, { server, log });
  using keyFollower = keySource === undefined ? undefined : followKeys(keySource, server, log);
  onHangup?.(() => {
    void keyFollower?.look();
    void follower?.look(); // neither of them rejects
    void server.reload();
  });
  using _rest = giveMemoryBack();
  if (launch.pidFile !== undefined) await writeFile(launch.pidFile, String(process.pid));
  if (!signal.aborted)
    await new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true }),
    );
  await server.stop({
    delayMs: millisecondsIn(env, "SLIPWAY_DRAIN_DELAY_MS", drainDelayMs(env)),
    graceMs: millisecondsIn(env, "SLIPWAY_DRAIN_GRACE_MS", DRAIN_GRACE_MS),
  });
  if (launch.pidFile !== undefined) await rm(launch.pidFile, { force: true });
}

function drainDelayMs(env: Environment): number {
  return env["SELDON_EXECUTOR_ENABLED"] === undefined ? DRAIN_DELAY_MS : OPERATOR_DELAY_MS;
}

/** What a launch says, as options of `serveModel`. */
export function serveOptions(launch: SeldonLaunch): ServeOptions {
  const { settings, parameters, metricsPath, logLevel, threads } = launch;
  return { seldon: settings, parameters, metricsPath, logLevel, threads };
}

function withoutGrpc(description: ModelDescription, { hasGrpc }: SeldonLaunch): ModelDescription {
  if (hasGrpc) return description;
  const { grpc: _, ...ports } = description.ports;
  return { ...description, ports };
}
