import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import type { TestContext } from "node:test";

/** Folder of the programs that `scripts/setup-peers.sh` builds itself. */
export function peerBinFolder(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "slipway-test", "bin");
}

/** Path of a program: among the peers' own, on PATH, or where Debian keeps root's programs. */
export function findPeer(program: string): string | undefined {
  const folders = [
    peerBinFolder(),
    ...(process.env["PATH"] ?? "").split(delimiter),
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
  ];
  return folders
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, program))
    .find(isExecutable);
}

/**
 * Path of a program that a test needs. When it is missing the test is skipped and `undefined` comes back, so that the
 * test returns; with `SLIPWAY_REQUIRE_PEERS=1` the test fails instead.
 */
export async function requirePeer(t: TestContext, program: string): Promise<string | undefined> {
  const path = findPeer(program);
  return path ?? withoutPeer(t, `"${program}" is not installed`);
}

/** Skips a test because something it needs is not to be had, or fails it with `SLIPWAY_REQUIRE_PEERS=1`. */
export function withoutPeer(t: TestContext, reason: string): undefined {
  if (process.env["SLIPWAY_REQUIRE_PEERS"] === "1")
    throw new Error(`a required peer is missing: ${reason}; run scripts/setup-peers.sh`);
  t.skip(`${reason} (scripts/setup-peers.sh gets it)`);
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
