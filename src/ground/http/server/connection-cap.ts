import { readFileSync } from "node:fs";

/** Descriptors for everything that is no client: files, workers and their pipes, the other servers. */
const RESERVE = 128;

/** Open files that this process may have; undefined where the system does not say. */
function descriptorLimit(): number | undefined {
  let limits: string;
  try {
    limits = readFileSync("/proc/self/limits", "latin1");
  } catch {
    return undefined; // no Linux, or a sandbox without /proc
  }
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft); // "unlimited" has no number
}

/**
 * Connections that a server may have at once: what the limit of descriptors leaves after a reserve of 128, or of half the limit where
 * that is less. Undefined without a limit.
 * @param share - of what is left, for one of several servers; 0 to 1
 */
export function connectionCap(
  share = 1,
  limit: number | undefined = descriptorLimit(),
): number | undefined {
  if (limit === undefined) return undefined;
  const left = limit - Math.min(RESERVE, Math.ceil(limit / 2));
  return Math.max(1, Math.floor(left * share));
}
