import { isIP } from "node:net";

const PROTOCOLS = new Set(["tcp", "udp", "sctp"]);
const MAX_PORT = 65_535;

/**
 * Reads a port as `EXPOSE` takes it: `[ip:][host:]port[-port][/protocol]`.
 * @returns texts such as `8080/tcp`; address and host port are checked and left out.
 * @throws Error naming what is wrong.
 */
export function parsePorts(text: string): readonly string[] {
  const parts = text.split(":");
  const [container = "", host = ""] = parts.toReversed();
  const ip = parts.slice(0, -2).join(":");
  const [port = "", protocol = ""] = splitOnce(container, "/");
  if (port === "") throw new Error(`invalid port: "${text}": no port specified`);
  if (protocol !== "" && !PROTOCOLS.has(protocol.toLowerCase()))
    throw new Error(`invalid port: "${text}": invalid proto: ${protocol}`);
  checkAddress(ip);
  const range = portRange(port, "containerPort");
  if (host !== "") checkHostRange({ text: host, range, container: port });
  return Array.from(
    { length: range.last - range.first + 1 },
    (_, index) => `${range.first + index}/${(protocol === "" ? "tcp" : protocol).toLowerCase()}`,
  );
}

interface PortRange {
  readonly first: number;
  readonly last: number;
}

function portRange(text: string, what: string): PortRange {
  const [first = "", last = first] = splitOnce(text, "-");
  const range = { first: portNumber(first), last: portNumber(last) };
  if (range.first === undefined || range.last === undefined || range.last < range.first)
    throw new Error(`invalid ${what}: ${text}`);
  return { first: range.first, last: range.last };
}

function portNumber(text: string): number | undefined {
  const port = /^\+?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return port <= MAX_PORT ? port : undefined;
}

function checkHostRange(host: {
  readonly text: string;
  readonly range: PortRange;
  readonly container: string;
}): void {
  const { first, last } = portRange(host.text, "hostPort");
  const length = host.range.last - host.range.first;
  if (length !== last - first && length !== 0)
    throw new Error(
      `invalid ranges specified for container and host Ports: ${host.container} and ${host.text}`,
    );
}

function checkAddress(ip: string): void {
  if (ip === "") return;
  const bare = ip.startsWith("[") && ip.endsWith("]") ? ip.slice(1, -1) : ip;
  if (isIP(bare) === 0) throw new Error(`invalid IP address: ${ip}`);
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
