export type Environment = Readonly<Record<string, string | undefined>>;

/** A file with keys. */
export const FILE = "SLIPWAY_API_KEYS_FILE";
/** The keys themselves; a semicolon ends a line too. */
export const KEYS = "SLIPWAY_API_KEYS";

/** An environment for user code, which is not shown the keys. */
export function withoutKeys(env: Environment): Environment {
  const { [KEYS]: _, ...others } = env;
  return others;
}

/** The environment of user code where the server has keys; undefined, which means that of the server, where it has none. */
export function userCodeEnv(env: Environment): Environment | undefined {
  const hasKeys = [env[FILE], env[KEYS]].some((text) => (text ?? "").trim() !== "");
  return hasKeys ? withoutKeys(env) : undefined;
}
