import {
  isToolError,
  ProcessError,
  stripControls,
  ToolError,
} from "../../../ground/errors/index.ts";
import type { AptSource } from "./sources.ts";

const UNSIGNED =
  /is not signed|NO_PUBKEY|BADSIG|EXPKEYSIG|invalid signature|Release file .* (is expired|is not valid yet)|is expired \(invalid since|Hash Sum mismatch|Clearsigned file isn't valid/;
const FULL = /No space left on device|Disk quota exceeded/;
const NO_SUITE = /does not have a Release file|404 +Not Found/;

/** Turns apt's failure to refresh an index or to fetch packages into our own words; other errors come back as they are. */
export function explainFetch(error: unknown, what: string, sources: readonly AptSource[]): unknown {
  if (!(error instanceof ProcessError) || error.timedOut) return error;
  const lines = error.stderrTail.split("\n").filter((line) => /^[EW]: /.test(line));
  const reason = stripControls(
    (
      lines.find((line) => UNSIGNED.test(line)) ??
      lines.find((line) => line.startsWith("E: ")) ??
      lines[0] ??
      "apt ended badly"
    ).slice(3),
  ).trim();
  const mirrors = [...new Set(sources.map(({ uri }) => `"${uri}"`))].join(", ");
  const options = { cause: error };
  if (FULL.test(error.stderrTail))
    return new ToolError("DISK_FULL", `${what}: ${reason}`, {
      ...options,
      hint: "free some space, or choose another place with XDG_CACHE_HOME",
    });
  if (UNSIGNED.test(error.stderrTail)) {
    return new ToolError("MIRROR_UNTRUSTED", `${what} from ${mirrors}: ${reason}`, {
      ...options,
      hint: "use another mirror; nothing of it was used",
    });
  }
  if (NO_SUITE.test(error.stderrTail)) {
    return new ToolError("PACKAGE_UNAVAILABLE", `${what} from ${mirrors}: ${reason}`, {
      ...options,
      hint: "check the suite and the mirror's address",
    });
  }
  return new ToolError("MIRROR_UNREACHABLE", `${what} from ${mirrors}: ${reason}`, {
    ...options,
    hint: "check the network and the proxy, or name another mirror with --mirror",
  });
}

/** True for the failures of a mirror that an index fetched earlier can stand in for. */
export function isUnreachable(error: unknown): boolean {
  return isToolError(error) && error.code === "MIRROR_UNREACHABLE";
}
