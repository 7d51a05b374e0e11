import { appendFile, readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { ToolError } from "../../ground/errors/index.ts";

const MAX_HOSTS = 1000;
const NAME = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$/;

/**
 * Addresses by host name, in lower case, from `HOSTS`: `ip<->name` with commas or white space between the pairs. Later pairs win.
 * @throws ToolError `USAGE` naming the pair that is none
 */
export function parseHosts(text: string | undefined): ReadonlyMap<string, string> {
  const pairs = (text ?? "").split(/[\s,]+/).filter((pair) => pair !== "");
  if (pairs.length > MAX_HOSTS) throw wrongHosts(`it has more than ${MAX_HOSTS} pairs`);
  return new Map(pairs.map(parsePair));
}

function parsePair(pair: string): readonly [name: string, address: string] {
  const [address = "", name = "", ...rest] = pair.split("<->");
  if (isIP(address) === 0 || !NAME.test(name) || rest.length > 0)
    throw wrongHosts(`"${pair.slice(0, 100)}" is not IP<->NAME`);
  return [name.toLowerCase(), address];
}

function wrongHosts(why: string): ToolError {
  return new ToolError("USAGE", `read the variable HOSTS: ${why}`, {
    hint: "write pairs such as 10.0.0.5<->store.internal, with commas between them",
  });
}

/**
 * Adds to a hosts file the pairs that it has not yet, and changes nothing else in it. For other programs of the container: our own
 * downloads know the names without it.
 * @param file - default `/etc/hosts`
 * @returns false when the file may not be written, as for a user other than root
 */
export async function addToHostsFile(
  hosts: ReadonlyMap<string, string>,
  file = "/etc/hosts",
): Promise<boolean> {
  if (hosts.size === 0) return true;
  try {
    const text = await readFile(file, "utf8");
    const known = new Set(text.split("\n").flatMap(pairsIn));
    const missing = [...hosts].filter(([name, address]) => !known.has(`${address} ${name}`));
    if (missing.length === 0) return true;
    const lines = missing.map(([name, address]) => `${address} ${name}\n`).join("");
    await appendFile(file, text === "" || text.endsWith("\n") ? lines : `\n${lines}`);
    return true;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (["EACCES", "EPERM", "EROFS", "ENOENT"].includes(code)) return false;
    throw error;
  }
}

/** `ADDRESS NAME` for each name of a line. @see hosts(5) */
function pairsIn(line: string): readonly string[] {
  const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
  return names.map((name) => `${address} ${name.toLowerCase()}`);
}
