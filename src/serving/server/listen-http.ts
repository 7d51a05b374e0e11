import { connectionCap, defaultBodyBudget, type BodyBudget } from "../../ground/http/index.ts";
import type { Ports } from "../../models/description/index.ts";
import { SERVER_DEFAULTS } from "../plane/index.ts";
import { pageRoutes } from "../page/index.ts";
import { PROTOCOLS, protocolOf, type Plane } from "../protocols/index.ts";
import { startHttpServer, type HttpServerOptions, type Route } from "../transport/index.ts";
import { allowedHosts } from "./allowed-hosts.ts";
import { admitCalls, admitExchanges } from "./keys/index.ts";
import { listenGrpc } from "./listen-grpc.ts";
import { observedExchanges } from "./observed-exchange.ts";
import { metricsRoutes, openApiRoutes, probeRoutes } from "./own-routes.ts";
import type { Stoppable } from "./running-server.ts";
import { DEFAULT_HOST, logFailure, type ServerParts } from "./server-parts.ts";

const STRICT_MESSAGE_BYTES = 4_194_304;
const TEXT = "text/plain; charset=utf-8";
const METRICS_PATHS = ["/metrics", "/prometheus"];

/** Shares of the connections that the limit of descriptors leaves. */
const SHARES = { http: 0.5, grpc: 0.3, metrics: 0.1 };

/** Servers that listen are added to `servers` as they start, so that they can be ended when a later one does not. */
export interface Listening {
  readonly parts: ServerParts;
  readonly plane: Plane;
  readonly servers: Stoppable[];
}

/** Opens the ports that are wanted: REST, gRPC, metrics. @throws ToolError `PORT_TAKEN` */
export async function listen(listening: Listening): Promise<Ports> {
  const { parts, servers } = listening;
  const { options, description } = parts;
  const wanted = { ...description.ports, ...options.ports };
  const maxBodyBytes = description.server.maxBodyBytes ?? SERVER_DEFAULTS.maxBodyBytes;
  const { host = DEFAULT_HOST } = options;
  const allowsHost = allowedHosts(host, options.allowedHosts ?? []);
  const bodies = defaultBodyBudget(maxBodyBytes);
  const shared: Shared = { host, maxBodyBytes, bodies, allowsHost };
  let grpcPort: number | undefined;
  const page = await pageOf(listening, () => grpcPort);
  const rest = restOptions(listening, { port: wanted.http, page });
  const main = await startHttpServer({ ...shared, ...rest });
  servers.push(main);
  const grpc =
    wanted.grpc === undefined ? undefined : await listenForCalls(listening, shared, wanted.grpc);
  if (grpc !== undefined) servers.push(grpc);
  grpcPort = grpc?.port;
  const ports = { http: main.port, ...(grpc !== undefined && { grpc: grpc.port }) };
  if (wanted.metrics === undefined) return ports;
  const metrics = await startHttpServer({ ...shared, ...pageOptions(parts, wanted.metrics) });
  servers.push(metrics);
  return { ...ports, metrics: metrics.port };
}

interface Shared {
  readonly host: string;
  readonly maxBodyBytes: number;
  readonly bodies: BodyBudget;
  readonly allowsHost: HttpServerOptions["allowsHost"];
}

type OwnOptions = Omit<HttpServerOptions, keyof Shared>;

/** Every protocol, whatever the contract is; the contract's own answers what no route takes. */
function restOptions(
  { parts, plane }: Listening,
  { port, page }: { readonly port: number; readonly page: ReadonlyMap<string, Route> },
): OwnOptions {
  const { options, description, registry, observation, models } = parts;
  const [first] = PROTOCOLS;
  const own = protocolOf(description.contract);
  return {
    port,
    tls: options.tls,
    maxConnections: connectionCap(SHARES.http),
    routes: new Map<string, Route>([
      ...PROTOCOLS.flatMap((protocol) => [...protocol.routes(plane)]),
      ...probeRoutes(models),
      ...metricsRoutes(registry, METRICS_PATHS),
      ...openApiRoutes(plane, { hasKeys: parts.keys !== undefined }),
      ...page,
      ...(own.ownRoutes?.(plane) ?? []),
    ]),
    refuse: (exchange, why) =>
      (ownerOf(exchange.path)?.refuse ?? own.refuse ?? first?.refuse)?.(plane, exchange, why),
    ...admitExchanges(parts.keys),
    ...observedExchanges(observation.observer),
  };
}

/** Routes of the page, unless it is not wanted. A server that answers strictly as Seldon's wrapper has one only when it is asked for. */
async function pageOf(
  { parts, plane }: Listening,
  grpcPort: () => number | undefined,
): Promise<ReadonlyMap<string, Route>> {
  const { options, settings, log, set } = parts;
  const { page = !settings.isStrict } = options;
  if (!page) return new Map();
  return pageRoutes({
    ...{ plane, grpcPort },
    describe: (model) => set.descriptionOf(model),
    onFailure: (error) => logFailure(log, error, { isBug: true, requestId: undefined }),
  });
}

/** The protocol below whose prefix a path lies. */
function ownerOf(path: string): (typeof PROTOCOLS)[number] | undefined {
  return PROTOCOLS.find(
    ({ prefix }) => prefix !== undefined && (path === prefix || path.startsWith(`${prefix}/`)),
  );
}

function listenForCalls(
  { parts, plane }: Listening,
  { host, maxBodyBytes, bodies }: Shared,
  port: number,
): ReturnType<typeof listenGrpc> {
  const { options, settings, observation, models } = parts;
  const maxMessageBytes =
    options.grpcMaxMessageBytes ?? (settings.isStrict ? STRICT_MESSAGE_BYTES : maxBodyBytes);
  return listenGrpc({
    ...{ host, port, maxMessageBytes, bodies },
    maxConnections: connectionCap(SHARES.grpc),
    tls: options.tls,
    ...admitCalls(parts.keys),
    services: PROTOCOLS.flatMap((protocol) => protocol.grpc?.(plane) ?? []),
    isReady: () => models.isReady,
    observer: observation.observer,
  });
}

function pageOptions({ options, registry, models }: ServerParts, port: number): OwnOptions {
  const { metricsPath = "/metrics" } = options;
  return {
    port,
    maxConnections: connectionCap(SHARES.metrics),
    routes: new Map([
      ...probeRoutes(models),
      ...metricsRoutes(registry, [...METRICS_PATHS, metricsPath]),
    ]),
    refuse: (exchange) => exchange.reply({ status: 404, contentType: TEXT, body: "not found\n" }),
  };
}
