import { isIP } from "node:net";
import { hostnameOf, isLoopbackHost } from "../../ground/http/index.ts";

/**
 * Which `Host` headers a server takes that listens on the loopback: names of the loopback, addresses, and the names that it was given. A web page
 * whose name leads to 127.0.0.1 (DNS rebinding) is none of them. Undefined for any other address to listen on, where all are taken.
 */
export function allowedHosts(
  listenHost: string,
  names: readonly string[],
): ((host: string) => boolean) | undefined {
  if (!isLoopbackHost(listenHost)) return undefined;
  const further = new Set(names.map((name) => name.toLowerCase()));
  let last: string | undefined;
  return (host) => {
    if (host === last) return true; // nearly all requests name the same
    const name = hostnameOf(host);
    const isAllowed = isIP(name) !== 0 || isLoopbackHost(name) || further.has(name);
    if (isAllowed) last = host;
    return isAllowed;
  };
}
