import { createHash, randomBytes } from "node:crypto";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

/** One request as it came, and what became of it. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Body bytes that arrived. */
  bytes: number;
  /** Absent while it is being answered, and when the connection was cut. */
  status?: number;
}

/** What goes wrong. Offsets count from the body's first byte. */
export type FaultAction =
  /** Answers at once, without reading the body, unless `isAfterBody`. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      readonly isAfterBody?: boolean;
    }
  /** Keeps the first bytes of the body, then cuts the connection. */
  | { readonly kind: "cut-request"; readonly atByte: number }
  /** Keeps the first bytes of the body, then reads no more; `reached` is told. */
  | { readonly kind: "stall-request"; readonly atByte: number; readonly reached: () => void }
  /** Does what was asked, then cuts the connection instead of answering. */
  | { readonly kind: "no-answer" }
  /** Cuts the connection in the answer's body. */
  | { readonly kind: "cut-answer"; readonly atByte: number }
  /** Stops in the answer's body and stays silent. */
  | { readonly kind: "stall-answer"; readonly atByte: number }
  /** Changes an answer on its way out. */
  | { readonly kind: "change-answer"; readonly change: (answer: Answer) => Answer }
  /** Forgets all upload sessions, then goes on. */
  | { readonly kind: "lose-sessions" }
  /** Takes back all tokens, then goes on. */
  | { readonly kind: "expire-tokens" };

/** A fault that waits for its requests. */
export interface Fault {
  readonly method?: string;
  /** Part of the path. */
  readonly path?: string | RegExp;
  /** How often it strikes. Default once. */
  readonly times?: number;
  readonly action: FaultAction;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface FaultRegistryOptions {
  /** Wants Basic or a token of its own token endpoint at `/token`. Default: anyone may do anything. */
  readonly auth?: {
    readonly kind: "basic" | "token";
    readonly username: string;
    readonly password: string;
    readonly lifetimeSeconds?: number;
  };
  /** Has the referrers API. Default true. */
  readonly hasReferrers?: boolean;
  /** Smallest part of a chunked upload. Default none. */
  readonly minChunk?: number;
}

export interface FaultRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly blobs: Map<string, Buffer>;
  /** By tag and by digest, with the repository before it: `team/model:v1`, `team/model@sha256:…`. */
  readonly manifests: Map<string, { readonly mediaType: string; readonly bytes: Buffer }>;
  readonly requests: SeenRequest[];
  /** Bytes of each open session, by its id. */
  readonly sessions: Map<string, Buffer[]>;
  /** Adds a fault; those added first strike first. */
  fault(fault: Fault): void;
  /** Forgets the faults that have not struck. */
  calm(): void;
  /** Requests of a method whose path contains a text. */
  seen(method: string, path?: string): readonly SeenRequest[];
  close(): Promise<void>;
}

/** Starts a registry in memory that fails on demand; gone with the test. */
export async function startFaultRegistry(
  t: TestContext,
  options: FaultRegistryOptions = {},
): Promise<FaultRegistry> {
  const state: State = {
    options,
    blobs: new Map(),
    manifests: new Map(),
    sessions: new Map(),
    requests: [],
    faults: [],
    tokens: new Set(),
  };
  const server = createServer((request, response) => {
    const { socket } = request; // an ended request forgets it
    handle(state, request, response).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  t.after(close);
  return {
    host,
    blobs: state.blobs,
    manifests: state.manifests,
    requests: state.requests,
    sessions: state.sessions,
    fault: (fault) => void state.faults.push({ ...fault, left: fault.times ?? 1 }),
    calm: () => void state.faults.splice(0),
    seen: (method, path = "") =>
      state.requests.filter((request) => request.method === method && request.path.includes(path)),
    close,
  };
}

interface State {
  readonly options: FaultRegistryOptions;
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, { readonly mediaType: string; readonly bytes: Buffer }>;
  readonly sessions: Map<string, Buffer[]>;
  readonly requests: SeenRequest[];
  readonly faults: (Fault & { left: number })[];
  readonly tokens: Set<string>;
}

interface Exchange {
  readonly state: State;
  readonly request: IncomingMessage;
  readonly url: URL;
  readonly seen: SeenRequest;
  readonly action: FaultAction | undefined;
}

async function handle(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const seen: SeenRequest = {
    method: request.method ?? "",
    path: request.url ?? "",
    headers: request.headers,
    bytes: 0,
  };
  state.requests.push(seen);
  const action = nextFault(state, seen);
  if (action?.kind === "answer" && action.isAfterBody !== true)
    return reply(response, seen, {
      status: action.status,
      headers: action.headers ?? {},
      body: Buffer.from(action.body ?? ""),
    });
  if (action?.kind === "lose-sessions") state.sessions.clear();
  if (action?.kind === "expire-tokens") state.tokens.clear();
  const exchange = {
    state,
    request,
    seen,
    action,
    url: new URL(request.url ?? "/", `http://${request.headers.host}`),
  };
  const answer = refuseUnauthorized(exchange) ?? (await dispatch(exchange));
  if (action?.kind === "answer")
    return reply(response, seen, {
      status: action.status,
      headers: action.headers ?? {},
      body: Buffer.from(action.body ?? ""),
    });
  if (action?.kind === "no-answer") return void request.socket.destroy();
  if (action?.kind === "cut-answer" || action?.kind === "stall-answer")
    return breakOff(response, answer, action);
  return reply(response, seen, action?.kind === "change-answer" ? action.change(answer) : answer);
}

function nextFault(state: State, seen: SeenRequest): FaultAction | undefined {
  const fault = state.faults.find(({ method, path, left }) => {
    const isPath =
      path === undefined ||
      (typeof path === "string" ? seen.path.includes(path) : path.test(seen.path));
    return left > 0 && (method === undefined || method === seen.method) && isPath;
  });
  if (fault !== undefined) fault.left -= 1;
  return fault?.action;
}

function reply(response: ServerResponse, seen: SeenRequest, answer: Answer): void {
  seen.status = answer.status;
  const length = answer.headers["content-length"] ?? String(answer.body.byteLength);
  // A wrong length must reach the wire as it is.
  response.strictContentLength = false;
  response.writeHead(answer.status, { ...answer.headers, "content-length": length });
  response.end(seen.method === "HEAD" ? undefined : answer.body);
  if (Number(length) > answer.body.byteLength && seen.method !== "HEAD")
    response.once("finish", () => response.socket?.destroy());
}

function breakOff(
  response: ServerResponse,
  answer: Answer,
  action: { readonly kind: string; readonly atByte: number },
): void {
  response.writeHead(answer.status, {
    ...answer.headers,
    "content-length": String(answer.body.byteLength),
  });
  response.write(answer.body.subarray(0, action.atByte), () => {
    if (action.kind === "cut-answer") response.socket?.destroy();
  });
}

function refuseUnauthorized({ state, request, url }: Exchange): Answer | undefined {
  const { auth } = state.options;
  if (auth === undefined || url.pathname === "/token") return undefined;
  const header = request.headers.authorization ?? "";
  const basic = `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString("base64")}`;
  const isAllowed =
    auth.kind === "basic"
      ? header === basic
      : header.startsWith("Bearer ") && state.tokens.has(header.slice(7));
  if (isAllowed) return undefined;
  const challenge =
    auth.kind === "basic"
      ? `Basic realm="faults, and more"`
      : `Bearer realm="http://${request.headers.host}/token",service="faults",scope="${scopeOf(url, request.method ?? "")}"`;
  return json(
    401,
    { errors: [{ code: "UNAUTHORIZED", message: "authentication required" }] },
    { "www-authenticate": challenge },
  );
}

function scopeOf(url: URL, method: string): string {
  const name = /^\/v2\/(.+?)\/(?:blobs|manifests|tags|referrers)\//.exec(url.pathname)?.[1];
  return name === undefined
    ? ""
    : `repository:${name}:${method === "GET" || method === "HEAD" ? "pull" : "pull,push"}`;
}

async function dispatch(exchange: Exchange): Promise<Answer> {
  const { url, request, state } = exchange;
  if (url.pathname === "/token") return issueToken(exchange);
  if (url.pathname === "/v2/" || url.pathname === "/v2") return json(200, {});
  const match =
    /^\/v2\/(?<name>.+?)\/(?<kind>blobs\/uploads|blobs|manifests|tags|referrers)\/(?<rest>.*)$/.exec(
      url.pathname,
    )?.groups;
  if (match === undefined)
    return json(404, { errors: [{ code: "UNSUPPORTED", message: "no such endpoint" }] });
  const { name = "", kind, rest = "" } = match;
  if (kind === "blobs/uploads") return upload(exchange, name, rest);
  if (kind === "blobs") return blob(exchange, rest);
  if (kind === "manifests") return manifest(exchange, name, rest);
  if (kind === "tags")
    return json(200, {
      name,
      tags: [...state.manifests.keys()]
        .filter((key) => key.startsWith(`${name}:`))
        .map((key) => key.slice(name.length + 1))
        .sort(),
    });
  return request.method === "GET" && state.options.hasReferrers !== false
    ? referrers(state, name, rest)
    : json(404, {});
}

async function issueToken({ state, request }: Exchange): Promise<Answer> {
  const { auth } = state.options;
  if (
    request.headers.authorization !==
    `Basic ${Buffer.from(`${auth?.username}:${auth?.password}`).toString("base64")}`
  )
    return json(401, { errors: [{ code: "UNAUTHORIZED", message: "wrong" }] });
  const token = randomBytes(16).toString("hex");
  state.tokens.add(token);
  return json(200, { token, expires_in: auth?.lifetimeSeconds ?? 300 });
}

async function upload(exchange: Exchange, name: string, id: string): Promise<Answer> {
  const { state, request, url } = exchange;
  if (request.method === "POST") return openUpload(state, name);
  const session = state.sessions.get(id);
  if (session === undefined) return refuse(404, "BLOB_UPLOAD_UNKNOWN");
  if (request.method === "DELETE") {
    state.sessions.delete(id);
    return { status: 204, headers: {}, body: Buffer.alloc(0) };
  }
  const size = (): number => session.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  const progress = (status: number): Answer => ({
    status,
    headers: {
      location: `/v2/${name}/blobs/uploads/${id}?_state=${randomBytes(6).toString("hex")}`,
      range: `0-${Math.max(0, size() - 1)}`,
    },
    body: Buffer.alloc(0),
  });
  if (request.method === "GET") return progress(204);
  const start = /^(\d+)-/.exec(request.headers["content-range"] ?? "")?.[1];
  if (start !== undefined && Number(start) !== size())
    return { ...refuse(416, "BLOB_UPLOAD_INVALID"), headers: progress(416).headers };
  await receive(exchange, session);
  return request.method === "PATCH"
    ? progress(202)
    : commit(state, { id, name, digest: url.searchParams.get("digest") ?? "" });
}

function openUpload(state: State, name: string): Answer {
  const id = randomBytes(8).toString("hex");
  state.sessions.set(id, []);
  const minChunk =
    state.options.minChunk === undefined
      ? {}
      : { "oci-chunk-min-length": String(state.options.minChunk) };
  return {
    status: 202,
    headers: {
      location: `/v2/${name}/blobs/uploads/${id}?_state=${randomBytes(6).toString("hex")}`,
      range: "0-0",
      ...minChunk,
    },
    body: Buffer.alloc(0),
  };
}

/** What arrives is kept as it arrives, as a real registry does. */
async function receive({ request, seen, action }: Exchange, session: Buffer[]): Promise<void> {
  const limit =
    action?.kind === "cut-request" || action?.kind === "stall-request"
      ? action.atByte
      : Number.POSITIVE_INFINITY;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    const taken = chunk.subarray(0, limit - seen.bytes);
    session.push(taken);
    seen.bytes += taken.byteLength;
    if (seen.bytes < limit) continue;
    if (action?.kind === "cut-request") throw new Error("cut");
    if (action?.kind === "stall-request") {
      action.reached();
      await new Promise<void>((resolve) => request.socket.once("close", () => resolve()));
      throw new Error("the other side is gone");
    }
  }
}

function commit(
  state: State,
  { id, name, digest }: { readonly id: string; readonly name: string; readonly digest: string },
): Answer {
  const bytes = Buffer.concat(state.sessions.get(id) ?? []);
  state.sessions.delete(id);
  if (sha256(bytes) !== digest) return refuse(400, "DIGEST_INVALID");
  state.blobs.set(digest, bytes);
  return {
    status: 201,
    headers: { location: `/v2/${name}/blobs/${digest}`, "docker-content-digest": digest },
    body: Buffer.alloc(0),
  };
}

function blob({ state, request }: Exchange, digest: string): Answer {
  const bytes = state.blobs.get(digest);
  if (bytes === undefined) return refuse(404, "BLOB_UNKNOWN");
  const start = /^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1];
  const headers = { "docker-content-digest": digest, "content-type": "application/octet-stream" };
  if (start === undefined || request.method === "HEAD")
    return { status: 200, headers, body: bytes };
  return {
    status: 206,
    headers: {
      ...headers,
      "content-range": `bytes ${start}-${bytes.byteLength - 1}/${bytes.byteLength}`,
    },
    body: bytes.subarray(Number(start)),
  };
}

async function manifest(
  { state, request, seen }: Exchange,
  name: string,
  selector: string,
): Promise<Answer> {
  const key = `${name}${selector.startsWith("sha256:") ? "@" : ":"}${selector}`;
  if (request.method === "PUT") {
    const bytes = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
    seen.bytes = bytes.byteLength;
    const stored = { mediaType: request.headers["content-type"] ?? "", bytes };
    state.manifests.set(key, stored).set(`${name}@${sha256(bytes)}`, stored);
    const subject = (JSON.parse(bytes.toString("utf8")) as { subject?: { digest: string } }).subject
      ?.digest;
    const understood =
      subject !== undefined && state.options.hasReferrers !== false
        ? { "oci-subject": subject }
        : {};
    return {
      status: 201,
      headers: {
        "docker-content-digest": sha256(bytes),
        location: `/v2/${name}/manifests/${selector}`,
        ...understood,
      },
      body: Buffer.alloc(0),
    };
  }
  const found = state.manifests.get(key);
  if (found === undefined) return refuse(404, "MANIFEST_UNKNOWN");
  if (request.method === "DELETE") {
    state.manifests.delete(key);
    return { status: 202, headers: {}, body: Buffer.alloc(0) };
  }
  return {
    status: 200,
    headers: { "content-type": found.mediaType, "docker-content-digest": sha256(found.bytes) },
    body: found.bytes,
  };
}

function referrers(state: State, name: string, subject: string): Answer {
  const manifests = [...state.manifests]
    .filter(([key]) => key.startsWith(`${name}@`))
    .flatMap(([key, { mediaType, bytes }]) => {
      const document = JSON.parse(bytes.toString("utf8")) as {
        subject?: { digest: string };
        artifactType?: string;
      };
      return document.subject?.digest === subject
        ? [
            {
              mediaType,
              digest: key.slice(name.length + 1),
              size: bytes.byteLength,
              artifactType: document.artifactType,
            },
          ]
        : [];
    });
  return json(
    200,
    { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests },
    { "content-type": "application/vnd.oci.image.index.v1+json" },
  );
}

function refuse(status: number, code: string): Answer {
  return json(status, { errors: [{ code, message: code.toLowerCase().replaceAll("_", " ") }] });
}

function json(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
