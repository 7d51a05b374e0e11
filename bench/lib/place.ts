import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { timedRun, type TimedRun } from "./timed-run.ts";

/** A user of the tool with data, cache and state of their own. */
export interface Place extends Disposable {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs one command of the tool, as the user would. */
  slipway(...args: readonly string[]): Promise<TimedRun>;
}

/** The tool, for Node to start. */
export const BIN: string = resolve(import.meta.dirname, "../../bin/slipway.js");

/** An empty place; gone when disposed. `more` goes into the environment of every command. */
export function createPlace(more: Readonly<Record<string, string>> = {}): Place {
  const folder = mkdtempSync(join(tmpdir(), "slipway-bench-"));
  const env = {
    XDG_DATA_HOME: join(folder, "data"),
    XDG_CACHE_HOME: join(folder, "cache"),
    XDG_STATE_HOME: join(folder, "state"),
    ...more,
  };
  return {
    folder,
    env,
    slipway: (...args) => timedRun([process.execPath, BIN, ...args], { env }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
