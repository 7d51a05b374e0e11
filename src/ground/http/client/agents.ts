import { lookup } from "node:dns";
import { Agent as HttpAgent, request as httpRequest, type ClientRequestArgs } from "node:http";
import type { Agent as HttpsAgent } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import type { Duplex } from "node:stream";
import { nodeHttps, nodeTls } from "../secure-modules.ts";
import { openLongConnection, type LongConnection } from "./long-connection.ts";
import { proxyFor, type ProxyEnvironment } from "./proxy.ts";

/** How connections are made. */
export interface ConnectionOptions {
  /** PEM certificates of authorities to trust besides the usual ones. */
  readonly ca?: string | undefined;
  /** Where the proxy variables are read from. Default: no proxy. */
  readonly env?: ProxyEnvironment | undefined;
  /** Addresses of host names that are not looked up, by name in lower case. Default none. */
  readonly hosts?: ReadonlyMap<string, string> | undefined;
  /** Connections to one host at once. Default 32. */
  readonly maxSockets?: number | undefined;
  /** Takes any certificate. For the own server on loopback, and nothing else. Default false. */
  readonly allowAnyCertificate?: boolean | undefined;
  /** Longest wait for a proxy's answer, in ms. */
  readonly connectMs: number;
}

/** The part of a request that says over which connection it goes. */
interface Route {
  readonly agent: HttpAgent;
  /** Where plain requests through a proxy go instead of to the URL's host. */
  readonly via?: URL;
}

/** Kept connections, by scheme and proxy. */
export interface Agents {
  routeFor(url: URL): Route;
  /** A new connection for one answer with a long body, which the caller ends; nothing where the way leads through a proxy. */
  openLong(url: URL): LongConnection | undefined;
  close(): void;
}

type Target = ClientRequestArgs & { readonly servername?: string };
type Connected = (error: Error | null, socket: Duplex) => void;

/** Connections are opened on first use and kept until `close`; idle ones do not keep the process alive. */
export function createAgents(options: ConnectionOptions): Agents {
  const kept = new Map<string, HttpAgent>();
  const common = {
    keepAlive: true,
    maxSockets: options.maxSockets ?? 32,
    scheduling: "lifo" as const,
    lookup: options.hosts === undefined ? undefined : lookupAmong(options.hosts),
  };
  const trust = {
    ...(options.ca !== undefined && {
      ca: [...nodeTls().getCACertificates("default"), options.ca],
    }),
    ...(options.allowAnyCertificate === true && { rejectUnauthorized: false }),
  };
  const keep = (key: string, make: () => HttpAgent): HttpAgent => {
    const known = kept.get(key) ?? make();
    kept.set(key, known);
    return known;
  };
  return {
    routeFor(url) {
      const proxy = proxyFor(url, options.env ?? {});
      if (url.protocol !== "https:") {
        return proxy === undefined
          ? { agent: keep("http", () => new HttpAgent(common)) }
          : { agent: agentToProxy(proxy, keep, { ...common, ...trust }), via: proxy };
      }
      if (proxy === undefined)
        return { agent: keep("https", () => new (nodeHttps().Agent)({ ...common, ...trust })) };
      return {
        agent: keep(`tunnel ${proxy.href}`, () =>
          tunnelAgent(proxy, { ...common, ...trust }, options.connectMs),
        ),
      };
    },
    openLong(url) {
      if (proxyFor(url, options.env ?? {}) !== undefined) return undefined;
      const isTls = url.protocol === "https:";
      const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
      const port = url.port === "" ? (isTls ? 443 : 80) : Number(url.port);
      const servername = isIP(host) === 0 ? { servername: host } : {};
      return openLongConnection({
        socket: { host, port, ...(common.lookup !== undefined && { lookup: common.lookup }) },
        ...(isTls && { tls: { ...trust, ...servername, ALPNProtocols: ["http/1.1"] } }),
      });
    },
    close() {
      for (const agent of kept.values()) agent.destroy();
      kept.clear();
    },
  };
}

/** Looks names up as Node does, except those that have an address here. */
function lookupAmong(hosts: ReadonlyMap<string, string>): LookupFunction {
  return (name, options, callback) => {
    const address = hosts.get(name.toLowerCase());
    if (address === undefined) return lookup(name, options, callback);
    const family = isIP(address);
    if (options.all === true) return callback(null, [{ address, family }]);
    return callback(null, address, family);
  };
}

function agentToProxy(
  proxy: URL,
  keep: (key: string, make: () => HttpAgent) => HttpAgent,
  options: object,
): HttpAgent {
  return proxy.protocol === "https:"
    ? keep("https", () => new (nodeHttps().Agent)(options))
    : keep("http", () => new HttpAgent(options));
}

/** Headers by which a proxy knows its user, from the URL's user info. */
export function proxyHeaders(proxy: URL): Record<string, string> {
  if (proxy.username === "" && proxy.password === "") return {};
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(pair).toString("base64")}` };
}

/** An agent whose TLS connections run inside a tunnel that the proxy opens. @see RFC 9110, 9.3.6 CONNECT */
function tunnelAgent(
  proxy: URL,
  options: ConstructorParameters<typeof HttpsAgent>[0],
  connectMs: number,
): HttpAgent {
  const agent = new (nodeHttps().Agent)(options);
  agent.createConnection = (target: Target, callback?: Connected) => {
    const connected = callback ?? ((): void => undefined);
    openTunnel(
      proxy,
      { authority: `${target.host}:${target.port}`, connectMs },
      (error, socket) => {
        if (error !== null) return connected(error, socket);
        return connected(
          null,
          nodeTls().connect({
            ...options,
            socket,
            servername: target.servername ?? target.host ?? "",
          }),
        );
      },
    );
    return undefined as unknown as Duplex; // Node takes the connection from the callback then
  };
  return agent;
}

function openTunnel(
  proxy: URL,
  { authority, connectMs }: { readonly authority: string; readonly connectMs: number },
  connected: Connected,
): void {
  const request = proxy.protocol === "https:" ? nodeHttps().request : httpRequest;
  const connect = request({
    host: proxy.hostname,
    port: proxy.port === "" ? (proxy.protocol === "https:" ? 443 : 80) : proxy.port,
    method: "CONNECT",
    path: authority,
    headers: { host: authority, ...proxyHeaders(proxy) },
    timeout: connectMs,
    agent: false,
  });
  let isOver = false;
  const end = (error: Error | null, socket?: Duplex): void => {
    if (isOver) return;
    isOver = true;
    // A failed connection has no socket, and the callback does not look at one then.
    connected(error, socket as Duplex);
  };
  connect.on("error", (error) => end(error));
  connect.once("timeout", () =>
    connect.destroy(new Error(`the proxy "${proxy.host}" did not answer`)),
  );
  // Whatever its status, the answer to CONNECT comes with the connection.
  connect.once("connect", (response, socket) => {
    if (response.statusCode === 200) return end(null, socket);
    socket.destroy();
    return end(new Error(`the proxy "${proxy.host}" answered ${response.statusCode} to a tunnel`));
  });
  connect.end();
}
