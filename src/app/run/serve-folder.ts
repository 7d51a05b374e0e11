import { once } from "node:events";
import type { ModelDescription } from "../../models/description/index.ts";
import {
  allowedHostsOf,
  controlOf,
  createLogger,
  pageSettingOf,
  parseObserveSettings,
  serveModel,
  serveOptions,
  withoutKeys,
  type RunningServer,
} from "../../serving/server/index.ts";
import type { Caller, Surroundings } from "../session.ts";
import {
  openDescribed,
  openFolder,
  type DescribedModel,
  type OpenedModels,
  type ServeFolderRequest,
  type ServeSettings,
} from "./open-folder.ts";
import { followServeKeys, readServeKeys } from "./serve-keys.ts";
import { sampleRequest } from "./sample-request.ts";

export type { ServeFolderRequest, ServeSettings } from "./open-folder.ts";

/**
 * Serves a folder until the session is aborted; tells when it is ready, and what is logged. Of a folder of models, all are served.
 * @throws ToolError `PROJECT_NOT_FOUND`, `MODEL_NOT_DETECTED`, `MODEL_LOAD_FAILED`, `PORT_TAKEN`.
 */
export async function serveFolder(
  request: ServeFolderRequest,
  session: Surroundings,
): Promise<void> {
  await serveOpened(await openFolder(request, session), request, session);
}

/** Serves a model that is described until the session is aborted. @throws as `serveFolder` */
export async function serveDescribed(
  described: DescribedModel,
  request: ServeSettings,
  session: Surroundings,
): Promise<void> {
  await serveOpened(await openDescribed(described, request, session), request, session);
}

async function serveOpened(
  opened: OpenedModels,
  request: ServeSettings,
  session: Surroundings,
): Promise<void> {
  const { signal, emit } = session;
  const { host = "127.0.0.1" } = request;
  const { description, launch, pod, env } = opened;
  for (const note of launch.ignored) emit({ kind: "warning", text: `has no effect here: ${note}` });
  const more = opened.others.models.length === 0 ? "" : ` and ${opened.others.models.length} more`;
  emit({ kind: "step", text: `loading ${description.name}${more}` });
  const keys = await readServeKeys(request, env, session);
  const log = createLogger({ write: (text) => emit({ kind: "output", text }) });
  await using server = await serveModel(description, {
    ...serveOptions(launch),
    host,
    ports: request.ports ?? {},
    ...pod.options,
    log,
    env: withoutKeys(env),
    keys: keys?.first,
    observe: {
      ...parseObserveSettings(env, description.name),
      logsRequests: request.logsRequests === true,
    },
    watch: request.isWatched === true,
    source: opened.source,
    others: opened.others,
    memoryBudgetBytes: opened.memoryBudgetBytes,
    ...controlOf(env),
    ...allowedHostsOf(env),
    ...pageSettingOf(env),
    ...(request.page !== undefined && { page: request.page }),
    signal,
  }).catch(async (error: unknown) => {
    throw await opened.explain(error);
  });
  const scheme = pod.options.tls === undefined ? "http" : "https";
  announce(server, { description, host, scheme }, session);
  await using _ = opened.watch(server);
  using _keys = followServeKeys(keys, server, log);
  if (!signal.aborted) await once(signal, "abort");
  await server.stop();
}

function announce(
  { ports }: RunningServer,
  about: {
    readonly description: ModelDescription;
    readonly host: string;
    readonly scheme: "http" | "https";
  },
  { emit }: Caller,
): void {
  const { description, host, scheme } = about;
  const address = host === "0.0.0.0" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  const url = `${scheme}://${address}:${ports.http}`;
  const { name, kind } = description;
  emit({
    kind: "ready",
    name,
    url,
    example: sampleRequest(url, description),
    served: { model: name, kind, ports, address },
  });
}
