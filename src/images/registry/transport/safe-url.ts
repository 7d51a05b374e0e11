import { redactUrl, RegistryError } from "../../../ground/errors/index.ts";
import { hostnameOf, isInternalLiteral, isLoopbackHost } from "../host.ts";
import type { HttpResponse } from "../http/http-message.ts";
import { protocolError } from "./failure.ts";

/**
 * Resolves the `Location` of an answer against the URL that was asked, and checks it before anything is sent there.
 * A registry behind a proxy often gives its own address with `http:`; for its own host name that is put right, for
 * any other it is refused.
 * @param registry - the registry's origin.
 * @throws RegistryError `REGISTRY_PROTOCOL` without a usable `Location`, `INSECURE_REFUSED` for plain HTTP after HTTPS and
 * for an internal IP literal of another host.
 */
export function locationOf(response: HttpResponse, registry: URL, action: string): URL {
  const text = response.header("location");
  if (text === undefined || text === "" || !URL.canParse(text, response.url.href))
    throw protocolError(response, action, "gave no usable Location");
  const url = new URL(text, response.url);
  const refuse = (why: string): never => {
    throw new RegistryError(
      "INSECURE_REFUSED",
      `${action}: "${response.url.host}" sends us to "${redactUrl(url.href).slice(0, 200)}", which is refused: ${why}`,
      { method: response.method, url: redactUrl(response.url.href), status: response.status },
    );
  };
  url.hash = "";
  if (url.protocol === "http:" && response.url.protocol === "https:") {
    if (url.hostname !== registry.hostname) return refuse("it is plain HTTP");
    return new URL(`${url.pathname}${url.search}`, registry);
  }
  if (url.protocol !== "https:" && url.protocol !== "http:")
    return refuse("it is neither HTTPS nor HTTP");
  if (url.username !== "" || url.password !== "") return refuse("it holds a user name");
  if (isForeignInternal(url, registry)) return refuse("it is an internal address of another host");
  return url;
}

/** True when requests to the URL may carry the registry's credential. */
export function isSameOrigin(url: URL, registry: URL): boolean {
  return url.origin === registry.origin;
}

function isForeignInternal(url: URL, registry: URL): boolean {
  return (
    hostnameOf(url.host) !== hostnameOf(registry.host) &&
    isInternalLiteral(url.host) &&
    !isLoopbackHost(registry.host)
  );
}
