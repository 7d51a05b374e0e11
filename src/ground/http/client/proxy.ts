import { BlockList, isIP } from "node:net";
import { ToolError } from "../../errors/index.ts";
import { hostnameOf, isLoopbackHost } from "../hosts.ts";

/** The usual variables; upper and lower case are both read, lower case first, as curl does. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * Chooses the proxy for a URL: `HTTPS_PROXY` or `HTTP_PROXY`, else `ALL_PROXY`, unless `NO_PROXY` names the host. The loopback is
 * never reached through a proxy. `HTTP_PROXY` in upper case is not read where a web server might have set it from a
 * request (`REQUEST_METHOD` is set).
 * @throws ToolError `USAGE` when the variable holds no http or https URL.
 */
export function proxyFor(url: URL, env: ProxyEnvironment): URL | undefined {
  const value =
    url.protocol === "https:"
      ? either(env, "https_proxy")
      : env["REQUEST_METHOD"] === undefined
        ? either(env, "http_proxy")
        : env["http_proxy"];
  const chosen = value ?? either(env, "all_proxy") ?? "";
  if (chosen.trim() === "") return undefined;
  if (isLoopbackHost(url.host) || isExcluded(url, either(env, "no_proxy") ?? "")) return undefined;
  return parseProxy(chosen.trim());
}

function either(env: ProxyEnvironment, name: string): string | undefined {
  return env[name] ?? env[name.toUpperCase()];
}

function parseProxy(value: string): URL {
  const text = value.includes("://") ? value : `http://${value}`;
  const proxy = URL.canParse(text) ? new URL(text) : undefined;
  if (proxy === undefined || !["http:", "https:"].includes(proxy.protocol)) {
    throw new ToolError(
      "USAGE",
      `use the proxy of the environment: it is not an http or https URL`,
      { hint: "set HTTPS_PROXY to http://HOST:PORT, or unset it" },
    );
  }
  return proxy;
}

function isExcluded(url: URL, list: string): boolean {
  const name = hostnameOf(url.host);
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .some((entry) => matches(entry.toLowerCase(), name, port));
}

function matches(entry: string, name: string, port: string): boolean {
  if (entry === "*") return true;
  if (isIP(name) !== 0 && entry.includes("/")) return isInNetwork(entry, name);
  const wantedPort = /:(\d+)$/.exec(entry)?.[1];
  const isBareV6 = isIP(entry) === 6;
  if (wantedPort !== undefined && !isBareV6 && wantedPort !== port) return false;
  const host = isBareV6 ? entry : hostnameOf(entry);
  const suffix = host.replace(/^\*?\./, "");
  return name === suffix || (isIP(name) === 0 && name.endsWith(`.${suffix}`));
}

function isInNetwork(entry: string, name: string): boolean {
  const [network = "", bits = ""] = entry.split("/");
  const family = isIP(network);
  const prefix = Number(bits);
  if (
    family === 0 ||
    family !== isIP(name) ||
    !Number.isInteger(prefix) ||
    prefix < 0 ||
    prefix > (family === 4 ? 32 : 128)
  )
    return false;
  const type = family === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(network, prefix, type);
  return list.check(name, type);
}
