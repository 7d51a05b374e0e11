import { BlockList, isIP } from "node:net";

/** The name without port and without the brackets of an IPv6 literal, in lower case. */
export function hostnameOf(host: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(host);
  return (bracketed?.[1] ?? host.replace(/:\d+$/, "")).toLowerCase();
}

/** True for `localhost`, names below it, and IP literals of the loopback. No name is looked up. */
export function isLoopbackHost(host: string): boolean {
  const name = hostnameOf(host);
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  return isInList(name, loopback());
}

/**
 * True for IP literals that a stranger must not send us to: loopback, private, link-local, carrier-grade NAT, unspecified.
 * Names are not looked up, so a name that leads there is not seen.
 */
export function isInternalLiteral(host: string): boolean {
  const name = hostnameOf(host);
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  return isInList(name, internal());
}

function isInList(name: string, list: BlockList): boolean {
  const family = isIP(name);
  if (family === 0) return false;
  return list.check(name, family === 4 ? "ipv4" : "ipv6");
}

function loopback(): BlockList {
  const list = new BlockList();
  list.addSubnet("127.0.0.0", 8, "ipv4");
  list.addAddress("::1", "ipv6");
  return list;
}

function internal(): BlockList {
  const list = loopback();
  for (const [net, prefix] of [
    ["0.0.0.0", 8],
    ["10.0.0.0", 8],
    ["100.64.0.0", 10],
    ["169.254.0.0", 16],
    ["172.16.0.0", 12],
    ["192.168.0.0", 16],
  ] as const)
    list.addSubnet(net, prefix, "ipv4");
  for (const [net, prefix] of [
    ["::", 128],
    ["fc00::", 7],
    ["fe80::", 10],
  ] as const)
    list.addSubnet(net, prefix, "ipv6");
  return list;
}
