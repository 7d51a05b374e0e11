import { connect } from "node:net";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import type { HttpClient } from "../../ground/http/index.ts";
import type { ComponentMethod } from "../plane/index.ts";
import type { GraphAnswer, GraphCaller, NodeCall, NodePeer } from "./contracts.ts";

/** Paths of the wrapper's REST interface. */
const PATHS: Readonly<Record<ComponentMethod, string>> = {
  predict: "/predict",
  "transform-input": "/transform-input",
  "transform-output": "/transform-output",
  route: "/route",
  aggregate: "/aggregate",
  "send-feedback": "/send-feedback",
  "health-status": "/health/status",
  metadata: "/metadata",
};

/** Headers that belong to one connection, or to the body as it came in. */
const OWN_HEADERS = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "te",
  "trailer",
  "upgrade",
  "expect",
  "host",
  "content-length",
  "content-type",
  "content-encoding",
  "accept-encoding",
  "seldon-puid",
]);

const CONNECT_MS = 2000;

export interface RemoteNodeOptions {
  readonly name: string;
  readonly host: string;
  readonly httpPort: number;
  readonly client: HttpClient;
  /** Of one answer; a longer one is an error. */
  readonly maxAnswerBytes: number;
}

/** Path of a call in the wrapper's REST interface, which metrics of the executor name too. */
export function pathOfMethod(method: ComponentMethod): string {
  return PATHS[method];
}

/** A node that another server runs, asked over REST. Redirects are not followed. */
export function createRemoteNode(options: RemoteNodeOptions): NodePeer {
  const { host, httpPort } = options;
  const authority = host.includes(":") ? `[${host}]` : host;
  const base = new URL(`http://${authority}:${httpPort}`);
  return {
    call: (call) => callRemote(call, base, options),
    isReady: (isFull) =>
      isFull ? answersHealth(base, options) : answersConnection(host, httpPort),
  };
}

/** What a node elsewhere is told of the request that its call belongs to. */
export function passedHeaders({ headers, requestId }: GraphCaller): Record<string, string> {
  const passed = Object.entries(headers).filter(([key]) => !OWN_HEADERS.has(key));
  return { ...Object.fromEntries(passed), "seldon-puid": requestId };
}

async function callRemote(
  { method, message, caller, signal }: NodeCall,
  base: URL,
  { name, client, maxAnswerBytes }: RemoteNodeOptions,
): Promise<GraphAnswer> {
  const isRead = method === "metadata" || method === "health-status";
  const { contentType, body } = message;
  const response = await client.send({
    action: `call the node "${name}"`,
    method: isRead ? "GET" : "POST",
    url: new URL(PATHS[method], base),
    headers: {
      ...passedHeaders(caller),
      ...(!isRead && contentType !== "" && { "content-type": contentType }),
    },
    ...(!isRead && { body: { kind: "bytes" as const, bytes: body } }),
    signal,
  });
  const bytes = await response.readBytes(maxAnswerBytes + 1);
  if (bytes.byteLength > maxAnswerBytes)
    throw new ToolError(
      "LIMIT_EXCEEDED",
      `call the node "${name}": its answer is longer than ${maxAnswerBytes} bytes`,
    );
  return {
    status: response.status,
    contentType: response.header("content-type") ?? "application/json",
    body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  };
}

/** Asks the node how it is. */
async function answersHealth(base: URL, { name, client }: RemoteNodeOptions): Promise<boolean> {
  try {
    const response = await client.send({
      action: `ask the node "${name}" how it is`,
      method: "GET",
      url: new URL("/api/v1.0/health/status", base),
      answerTimeoutMs: CONNECT_MS,
    });
    await response.discard();
    return response.status === 200;
  } catch (error) {
    if (isToolError(error)) return false;
    throw error;
  }
}

/** Opens a connection and closes it. */
export function answersConnection(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.setTimeout(CONNECT_MS, () => end(false));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}
