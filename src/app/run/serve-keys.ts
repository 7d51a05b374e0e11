import { resolve } from "node:path";
import {
  followKeys,
  readKeys,
  type KeySource,
  type Logger,
  type RunningServer,
} from "../../serving/server/index.ts";
import type { Environment, Standpoint } from "../session.ts";

/** Which keys a server asks for. */
export interface ServeKeysRequest {
  /** File of API keys, a line each; in the place of the one that the environment names. */
  readonly apiKeys?: string | undefined;
}

/** The keys that a request or the environment names; undefined for none. @throws ToolError `USAGE` */
export function readServeKeys(
  { apiKeys }: ServeKeysRequest,
  env: Environment,
  { cwd }: Standpoint,
): Promise<KeySource | undefined> {
  const own = apiKeys === undefined ? {} : { SLIPWAY_API_KEYS_FILE: resolve(cwd, apiKeys) };
  return readKeys({ ...env, ...own });
}

/** Takes exchanged keys into use while the server runs. */
export function followServeKeys(
  keys: KeySource | undefined,
  server: RunningServer,
  log: Logger,
): Disposable | undefined {
  return keys === undefined ? undefined : followKeys(keys, server, log);
}
