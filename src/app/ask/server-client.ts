import { InferenceError, ToolError, type ErrorCode } from "../../ground/errors/index.ts";
import { createHttpClient, type HttpClient } from "../../ground/http/index.ts";
import type { Call } from "../../serving/calls/index.ts";
import type { Environment } from "../session.ts";

/** Largest answer that is read, in bytes. */
const MAX_ANSWER_BYTES = 1 << 30;
const SHOWN = 2000;

/** What a server said. */
interface ServerAnswer {
  readonly status: number;
  readonly text: string;
}

/** Asks one server. */
export interface ServerClient extends Disposable {
  /** Reads a document; any status. */
  get(path: string): Promise<ServerAnswer>;
  /** Sends bytes; any status. */
  post(path: string, contentType: string, body: Uint8Array): Promise<ServerAnswer>;
}

export interface ClientOptions {
  readonly url: URL;
  readonly signal: AbortSignal;
  /** Longest wait for an answer, in ms. Default 60,000. */
  readonly timeoutMs?: number | undefined;
  /** API key that every request shows. Default: none. */
  readonly apiKey?: string | undefined;
}

/** The variable with the key for servers that ask for one. */
export function apiKeyIn(environment: Environment): string | undefined {
  const key = environment["SLIPWAY_API_KEY"]?.trim() ?? "";
  return key === "" ? undefined : key;
}

/** Connections are kept for the next question. */
export function createServerClient({
  url,
  signal,
  timeoutMs = 60_000,
  apiKey,
}: ClientOptions): ServerClient {
  const client = createHttpClient({ timeouts: { answerMs: timeoutMs } });
  const at = (path: string): URL => new URL(path.replace(/^\//, ""), url);
  const send = async (request: Parameters<HttpClient["send"]>[0]): Promise<ServerAnswer> => {
    const response = await client.send(request);
    const bytes = await response.readBytes(MAX_ANSWER_BYTES);
    return { status: response.status, text: Buffer.from(bytes).toString("utf8") };
  };
  const headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  return {
    get: (path) =>
      send({ action: `ask ${url.origin}`, method: "GET", url: at(path), headers, signal }),
    post: (path, contentType, bytes) =>
      send({
        ...{ action: `ask ${url.origin}`, method: "POST", url: at(path), signal },
        headers: { ...headers, "content-type": contentType },
        body: { kind: "bytes", bytes },
      }),
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

/** Sends a call and gives the text of its answer. @throws InferenceError with the server's own words for a status other than 200 */
export async function callServer(client: ServerClient, call: Call): Promise<string> {
  const body = typeof call.body === "string" ? call.body : await call.body.bytes();
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const { status, text } = await client.post(call.path, call.contentType, bytes);
  if (status === 200) return text;
  throw new InferenceError(
    codeOf(status),
    `predict: the server answers ${status}: ${wordsOf(text)}`,
  );
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return "KEY_REFUSED";
  if (status === 403) return "SCOPE_REFUSED";
  if (status === 404) return "MODEL_NOT_FOUND";
  if (status === 429) return "OVERLOADED";
  if (status === 501) return "UNSUPPORTED";
  if (status === 503) return "MODEL_NOT_READY";
  return status < 500 ? "REQUEST_INVALID" : "MODEL_FAILED";
}

/** The reason inside the error of a protocol, or the text itself. */
function wordsOf(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    const found = [["error"], ["error", "message"], ["status", "info"], ["detail"]]
      .map((path) => member(value, ...path))
      .find((one) => typeof one === "string");
    return String(found ?? text).slice(0, SHOWN);
  } catch {
    return text.trim().slice(0, SHOWN); // no JSON
  }
}

/** A member of a JSON value, or of members of it; undefined where there is none. */
export function member(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === "object" && at !== null ? Reflect.get(at, key) : undefined),
    value,
  );
}

/**
 * A document, parsed; undefined where the server has none, or what it has is no JSON.
 * @throws InferenceError `KEY_REFUSED` where the server asks for an API key, or another one
 */
export async function readDocument(client: ServerClient, path: string): Promise<unknown> {
  const { status, text } = await client.get(path);
  if (status === 401)
    throw new InferenceError("KEY_REFUSED", `ask the server: it answers 401: ${wordsOf(text)}`, {
      hint: "put an API key of the server into SLIPWAY_API_KEY",
    });
  if (status !== 200) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined; // a page for people, or another kind of server
  }
}

/** @throws ToolError `MODEL_NOT_FOUND` that names what there is */
export function refuseModel(name: string, known: readonly string[]): never {
  throw new ToolError(
    "MODEL_NOT_FOUND",
    `ask for the model "${name}": the server has none of this name`,
    {
      hint:
        known.length === 0 ? "leave --model out" : `choose from ${known.slice(0, 10).join(", ")}`,
    },
  );
}
