import { isRetryable, redactUrl, RegistryError } from "../../errors/index.ts";
import { retry, type RetryOptions } from "../../process/index.ts";
import type { HttpClient, HttpRequest, HttpResponse } from "./http-message.ts";
import { isSameOrigin, locationOf, MAX_REDIRECTS, mayFollow } from "./redirect.ts";
import { errorCodeOf, protocolError, retryAfterOf } from "./response-error.ts";

/** One call that is repeated while that may help, and follows redirects. */
export interface UrlCall extends HttpRequest {
  /** Statuses that are no failure. Default: 200 to 299. */
  readonly accepts?: ((status: number) => boolean) | undefined;
  /** Attempts and pauses. Default: five attempts; `Retry-After` is waited for up to 60 s. A streamed body is sent once. */
  readonly retry?: Pick<RetryOptions, "attempts" | "capMs" | "onRetry" | "sleep"> | undefined;
}

const RETRY_CAP_MS = 60_000;
/** What another origin may see of the caller's headers: everything else may hold a secret. */
const HARMLESS = /^(?:accept(?:-.+)?|content-(?:type|encoding)|if-.+|range|user-agent)$/;

/**
 * Calls a URL until there is an answer with an accepted status. The caller uses up the answer's body.
 * Redirects are bound to five, never lead from HTTPS to HTTP or to an internal address of another host, and take no header along to
 * another origin that might be a credential.
 * @throws RegistryError by status (404 is `REFERENCE_NOT_FOUND`); whatever `HttpClient.send` throws; the signal's reason.
 */
export async function callUrl(client: HttpClient, call: UrlCall): Promise<HttpResponse> {
  return retry(() => callOnce(client, call), {
    capMs: RETRY_CAP_MS,
    ...call.retry,
    ...(call.body?.kind === "stream" && { attempts: 1 }),
    signal: call.signal,
    isRetryable: (error) => isRetryable(error) && !isUnknownName(error),
  });
}

/** An unknown host name is a mistake. Waiting does not help. */
function isUnknownName(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === "ENOTFOUND";
}

async function callOnce(client: HttpClient, call: UrlCall): Promise<HttpResponse> {
  const accepts = call.accepts ?? isSuccess;
  let { url } = call;
  for (let redirects = 0; ; redirects += 1) {
    const response = await client.send({ ...call, url, headers: headersFor(url, call) });
    if (accepts(response.status)) return response;
    if (!mayFollow(call, response.status)) throw await statusError(response, call);
    await response.discard();
    if (redirects >= MAX_REDIRECTS)
      throw protocolError(response, call.action, `redirected more than ${MAX_REDIRECTS} times`);
    url = locationOf(response, call.url, call.action);
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function headersFor(url: URL, { url: home, headers = {} }: UrlCall): UrlCall["headers"] {
  if (isSameOrigin(url, home)) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => HARMLESS.test(name)));
}

async function statusError(response: HttpResponse, { action }: UrlCall): Promise<RegistryError> {
  await response.discard();
  const { status, url, method } = response;
  return new RegistryError(
    errorCodeOf(status, "REFERENCE_NOT_FOUND"),
    `${action}: "${url.host}" answered ${status}`,
    {
      action,
      method,
      url: redactUrl(url.href),
      status,
      retryAfterMs: retryAfterOf(response.header("retry-after")),
    },
  );
}
