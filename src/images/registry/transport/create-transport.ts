import { isRetryable, redactUrl, RegistryError } from "../../../ground/errors/index.ts";
import { type CallOptions } from "../../../ground/bytes/index.ts";
import { retry } from "../../../ground/process/index.ts";
import { createAuthorizer, type Authorizer, type Need } from "../auth/authorizer.ts";
import type { Scope } from "../auth/scope.ts";
import {
  type HttpBody,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  isLoopbackHost,
  isSameOrigin,
  locationOf,
  MAX_REDIRECTS,
  mayFollow,
  protocolError,
} from "../../../ground/http/index.ts";
import { apiHostOf } from "../host.ts";
import type { Keychain } from "../keychain/contracts.ts";
import { describeOrigin } from "../keychain/describe-origin.ts";
import { responseError, type FailureContext } from "./failure.ts";
import type { Counters } from "./stats.ts";
import { createOnce } from "./wait-for.ts";
import type { Warnings } from "./warnings.ts";

/** One call of a registry's API. */
export interface ApiCall extends CallOptions {
  /** `push "host/name:tag"`. */
  readonly action: string;
  readonly method: string;
  /** A path below the registry's origin, or a URL that the registry gave and `locationOf` has checked. */
  readonly target: string | URL;
  readonly scopes: readonly Scope[];
  readonly repository?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: HttpBody | undefined;
  /** As of `HttpRequest`. */
  readonly isLong?: boolean | undefined;
  /** Statuses that are no failure. */
  readonly accept: readonly number[];
  readonly notFound?: FailureContext["notFound"];
  /** Calls in all when one fails for a while. Default 5; a streamed body is sent once. */
  readonly attempts?: number | undefined;
}

/** Calls one registry: authorised, repeated while that may help, redirects followed. */
export interface Transport {
  /** The name under which the registry is known. */
  readonly registry: string;
  /** @throws RegistryError for every status that is not accepted. The caller uses up the answer's body. */
  call(call: ApiCall): Promise<HttpResponse>;
  /** The origin, found by a first call if need be. */
  origin(options: CallOptions & { readonly action: string }): Promise<URL>;
}

export interface TransportOptions {
  readonly registry: string;
  readonly client: HttpClient;
  readonly keychain?: Keychain | undefined;
  /** Plain HTTP also where it is not the loopback. */
  readonly isPlainHttp: boolean;
  readonly counters: Counters;
  readonly warnings: Warnings;
  /** Pauses between attempts; replaced in tests. */
  readonly sleep?: ((ms: number, signal?: AbortSignal) => Promise<void>) | undefined;
}

const ATTEMPTS = 5;
/** The longest `Retry-After` that is waited for. */
const RETRY_CAP_MS = 60_000;

export function createTransport(options: TransportOptions): Transport {
  let origin: URL | undefined;
  const authorizer = createAuthorizer({
    registry: options.registry,
    client: options.client,
    keychain: options.keychain,
    origin: () => origin ?? new URL(`https://${apiHostOf(options.registry)}`),
  });
  const findOrigin = createOnce(async () => (origin = await discover(options, authorizer)));
  const context: TransportContext = {
    ...options,
    authorizer,
    findOrigin,
    hasAnswered: () => origin !== undefined,
  };
  return {
    registry: options.registry,
    call: (call) => repeat(call, context, () => callOnce(call, context)),
    origin: (call) => repeat(call, context, () => findOrigin(call.signal)),
  };
}

interface TransportContext extends TransportOptions {
  readonly authorizer: Authorizer;
  readonly findOrigin: (signal?: AbortSignal) => Promise<URL>;
  /** True when the registry has been reached before. */
  readonly hasAnswered: () => boolean;
}

async function repeat<T>(
  call: Pick<ApiCall, "attempts" | "body" | "signal">,
  context: TransportContext,
  attempt: () => Promise<T>,
): Promise<T> {
  const attempts = call.body?.kind === "stream" ? 1 : (call.attempts ?? ATTEMPTS);
  const onRetry = (): void => void (context.counters.retries += 1);
  const mayHelp = (error: unknown): boolean => isRetryable(error) && !isHopeless(error, context);
  return retry(attempt, {
    attempts,
    capMs: RETRY_CAP_MS,
    signal: call.signal,
    onRetry,
    isRetryable: mayHelp,
    ...(context.sleep === undefined ? {} : { sleep: context.sleep }),
  });
}

/**
 * An unknown host name, or a port that never answered, is a typing mistake. Waiting does not help.
 */
function isHopeless(error: unknown, context: TransportContext): boolean {
  if (!(error instanceof RegistryError) || error.code !== "REGISTRY_UNREACHABLE") return false;
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code;
  return code === "ENOTFOUND" || (code === "ECONNREFUSED" && !context.hasAnswered());
}

async function callOnce(call: ApiCall, context: TransportContext): Promise<HttpResponse> {
  const origin = await context.findOrigin(call.signal);
  const url = typeof call.target === "string" ? new URL(call.target, origin) : call.target;
  const need: Need = {
    action: call.action,
    repository: call.repository,
    scopes: call.scopes,
    signal: call.signal,
  };
  for (let attempt = 1; ; attempt += 1) {
    const authorization = isSameOrigin(url, origin)
      ? await context.authorizer.headerFor(need)
      : undefined;
    const response = await follow({ call, url, origin, authorization }, context);
    if (call.accept.includes(response.status)) return response;
    const mayHelp =
      isSameOrigin(response.url, origin) && context.authorizer.learn(response, need, authorization);
    if (!mayHelp || attempt > 1 || call.body?.kind === "stream")
      throw await refusal(response, call, context);
    await response.discard();
  }
}

interface Hop {
  readonly call: ApiCall;
  readonly url: URL;
  readonly origin: URL;
  readonly authorization: string | undefined;
}

/** Redirects are followed by hand: the credential goes to the registry's own origin only. A streamed body cannot follow. */
async function follow(hop: Hop, context: TransportContext): Promise<HttpResponse> {
  const { call, origin } = hop;
  let { url } = hop;
  for (let redirects = 0; ; redirects += 1) {
    const response = await send({ ...hop, url }, context);
    if (call.accept.includes(response.status) || !mayFollow(call, response.status)) return response;
    if (redirects >= MAX_REDIRECTS)
      throw protocolError(response, call.action, `redirected more than ${MAX_REDIRECTS} times`);
    await response.discard();
    url = locationOf(response, origin, call.action);
  }
}

async function send(
  { call, url, origin, authorization }: Hop,
  context: TransportContext,
): Promise<HttpResponse> {
  const isOwn = isSameOrigin(url, origin);
  const headers = {
    ...call.headers,
    ...(isOwn && authorization !== undefined ? { authorization } : {}),
  };
  context.counters.requests += 1;
  const request: HttpRequest = {
    action: call.action,
    method: call.method,
    url,
    headers,
    body: call.body,
    isLong: call.isLong,
    signal: call.signal,
  };
  const response = await context.client.send(request);
  if (isOwn) context.warnings.take(response.headers("warning"));
  return response;
}

async function refusal(
  response: HttpResponse,
  call: ApiCall,
  context: TransportContext,
): Promise<RegistryError> {
  const denial =
    response.status === 401 || response.status === 403
      ? await denialOf(call, response.status, context)
      : undefined;
  return responseError(response, { action: call.action, notFound: call.notFound, denial });
}

/** Says which credential, if any, was refused what; the secret stays out. */
async function denialOf(
  call: ApiCall,
  status: number,
  context: TransportContext,
): Promise<{ readonly why: string; readonly hint: string }> {
  const what = call.repository === undefined ? "" : `"${call.repository}"`;
  const forWhat = what === "" ? "" : ` for ${what}`;
  const actions = [...new Set(call.scopes.flatMap((scope) => scope.actions))].join(",");
  const right = actions === "" ? "" : ` (${actions})`;
  const login = `run \`slipway login ${context.registry}\``;
  const origin = await context.keychain?.describeCredential(context.registry, {
    repository: call.repository,
    signal: call.signal,
  });
  if (origin === undefined || origin.kind === "anonymous") {
    const searched =
      origin === undefined || origin.searched.length === 0
        ? ""
        : ` in ${origin.searched.join(", ")}`;
    return {
      why: `the registry wants a credential${forWhat}${right}, and none was found${searched}`,
      hint: login,
    };
  }
  const why =
    status === 401
      ? `the registry refused the credential${forWhat}${right}`
      : `the credential does not have the right to ${what || "do this"}${right}`;
  return { why, hint: `${login}, or check the access rights; ${describeOrigin(origin)}` };
}

/** One call to the API's root tells scheme and auth. On loopback plain HTTP is tried first. @see distribution-spec, end-1 */
async function discover(options: TransportOptions, authorizer: Authorizer): Promise<URL> {
  const host = apiHostOf(options.registry);
  if (options.isPlainHttp || !isLoopbackHost(host))
    return ping(`${options.isPlainHttp ? "http" : "https"}://${host}`, options, authorizer);
  try {
    return await ping(`http://${host}`, options, authorizer);
  } catch (error) {
    if (!looksLikeTls(error)) throw error;
    return ping(`https://${host}`, options, authorizer);
  }
}

async function ping(base: string, options: TransportOptions, authorizer: Authorizer): Promise<URL> {
  const origin = new URL(base);
  const action = `reach registry "${options.registry}"`;
  options.counters.requests += 1;
  const response = await options.client.send({
    action,
    method: "GET",
    url: new URL("/v2/", origin),
    headers: { accept: "application/json" },
  });
  options.warnings.take(response.headers("warning"));
  authorizer.learn(response, { action, scopes: [] }, undefined);
  const { status } = response;
  if (status === 429 || status >= 500) throw await responseError(response, { action });
  const text = Buffer.from(await response.readBytes(1024)).toString("utf8");
  if (status === 400 && /HTTP request to an HTTPS server/i.test(text)) {
    throw new RegistryError("REGISTRY_PROTOCOL", `${action}: it speaks HTTPS`, {
      method: "GET",
      url: redactUrl(response.url.href),
      status,
    });
  }
  return origin;
}

/** A TLS server answers plain HTTP with a 400 that says so, with bytes that are not HTTP, or by hanging up. */
function looksLikeTls(error: unknown): boolean {
  if (!(error instanceof RegistryError)) return false;
  if (error.code === "REGISTRY_PROTOCOL") return true;
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return error.code === "REGISTRY_UNREACHABLE" && cause?.code !== "ECONNREFUSED";
}
