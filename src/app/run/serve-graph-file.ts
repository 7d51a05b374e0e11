import { once } from "node:events";
import type { Ports } from "../../models/description/index.ts";
import {
  createLogger,
  parseObserveSettings,
  readPod,
  serveGraph,
  withoutKeys,
} from "../../serving/server/index.ts";
import type { Surroundings } from "../session.ts";
import { followServeKeys, readServeKeys, type ServeKeysRequest } from "./serve-keys.ts";
import { openGraph, type GraphSource } from "./open-graph.ts";

/** A graph to run where it lies. */
export interface ServeGraphRequest extends GraphSource, ServeKeysRequest {
  /** Over the session's environment, for all nodes. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** 0 takes one that is free. Default: 8000 for REST, 5001 for gRPC, and no port of its own for the page of metrics. */
  readonly ports?: Partial<Ports> | undefined;
  /** Calls of user code at the same time in one worker. */
  readonly threads?: number | undefined;
  readonly logLevel?: string | undefined;
  /** Gives each node's Python code a process of its own. Default: nodes that follow each other share one. */
  readonly isolatesNodes?: boolean | undefined;
  /** Logs each request. Default false. */
  readonly logsRequests?: boolean | undefined;
}

/** Of the executor beside a graph in a cluster. */
const DEFAULT_GRPC_PORT = 5001;

/**
 * Runs the graph of a SeldonDeployment until the session is aborted; tells when it is ready, and what is logged.
 * @throws ToolError `PROJECT_NOT_FOUND`, `PROJECT_INVALID`, `MODEL_LOAD_FAILED`, `PORT_TAKEN`
 */
export async function serveGraphFile(
  request: ServeGraphRequest,
  session: Surroundings,
): Promise<void> {
  const { signal, emit } = session;
  const { host = "127.0.0.1", ports = {}, threads, logLevel } = request;
  const env = { ...session.environment, ...request.env };
  const { graph, components } = await openGraph(request, session);
  const { deployment: name } = graph;
  emit({ kind: "step", text: `loading ${components.size} components of ${name}` });
  const { tls } = (await readPod(env)).options;
  const keys = await readServeKeys(request, env, session);
  const log = createLogger({ write: (text) => emit({ kind: "output", text }) });
  await using server = await serveGraph(graph, components, {
    ...{ host, tls, log, signal, isolatesNodes: request.isolatesNodes },
    env: withoutKeys(env),
    keys: keys?.first,
    ports: { grpc: DEFAULT_GRPC_PORT, ...ports },
    ...(threads !== undefined && { threads }),
    ...(logLevel !== undefined && { logLevel }),
    observe: {
      ...parseObserveSettings(env, name),
      logsRequests: request.logsRequests === true,
    },
  });
  const address = host === "0.0.0.0" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  const url = `${tls === undefined ? "http" : "https"}://${address}:${server.ports.http}`;
  const served = { model: name, kind: "graph", ports: server.ports, address };
  emit({ kind: "ready", name, url, example: exampleFor(url), served });
  using _ = followServeKeys(keys, server, log);
  if (!signal.aborted) await once(signal, "abort");
  await server.stop();
}

function exampleFor(url: string): string {
  return `curl -s ${url}/api/v1.0/predictions -H 'Content-Type: application/json' -d '{"data":{"ndarray":[[1.0]]}}'`;
}
