import { redactUrl, RegistryError } from "../../errors/index.ts";
import { hostnameOf, isInternalLiteral, isLoopbackHost } from "../hosts.ts";
import type { HttpRequest, HttpResponse } from "./http-message.ts";
import { protocolError } from "./response-error.ts";

/** Redirects that one request may take. */
export const MAX_REDIRECTS = 5;

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** True when an answer is a redirect that this request can follow: a body that is read once cannot be sent again, and only 307 and 308 keep the method. */
export function mayFollow(
  { method, body }: Pick<HttpRequest, "method" | "body">,
  status: number,
): boolean {
  if (!REDIRECTS.has(status)) return false;
  if (method === "GET" || method === "HEAD") return true;
  return (status === 307 || status === 308) && body?.kind !== "stream";
}

/**
 * Resolves the `Location` of an answer against the URL that was asked, and checks it before anything is sent there.
 * A server behind a proxy often gives its own address with `http:`; for its own host name that is put right, for
 * any other it is refused.
 * @param home - the origin that the caller named.
 * @throws RegistryError `REGISTRY_PROTOCOL` without a usable `Location`, `INSECURE_REFUSED` for plain HTTP after HTTPS and
 * for an internal IP literal of another host.
 */
export function locationOf(response: HttpResponse, home: URL, action: string): URL {
  const text = response.header("location");
  if (text === undefined || text === "" || !URL.canParse(text, response.url.href))
    throw protocolError(response, action, "gave no usable Location");
  const url = new URL(text, response.url);
  const refuse = (why: string): never => {
    throw new RegistryError(
      "INSECURE_REFUSED",
      `${action}: "${response.url.host}" sends us to "${redactUrl(url.href).slice(0, 200)}", which is refused: ${why}`,
      {
        action,
        method: response.method,
        url: redactUrl(response.url.href),
        status: response.status,
      },
    );
  };
  url.hash = "";
  if (url.protocol === "http:" && response.url.protocol === "https:") {
    if (url.hostname !== home.hostname) return refuse("it is plain HTTP");
    return new URL(`${url.pathname}${url.search}`, home);
  }
  if (url.protocol !== "https:" && url.protocol !== "http:")
    return refuse("it is neither HTTPS nor HTTP");
  if (url.username !== "" || url.password !== "") return refuse("it holds a user name");
  if (isForeignInternal(url, home)) return refuse("it is an internal address of another host");
  return url;
}

/** True when requests to the URL may carry the credential of `home`. */
export function isSameOrigin(url: URL, home: URL): boolean {
  return url.origin === home.origin;
}

function isForeignInternal(url: URL, home: URL): boolean {
  return (
    hostnameOf(url.host) !== hostnameOf(home.host) &&
    isInternalLiteral(url.host) &&
    !isLoopbackHost(home.host)
  );
}
