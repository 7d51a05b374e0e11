import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ToolError } from "../../../ground/errors/index.ts";
import type { Logger } from "../log/index.ts";
import { FILE, KEYS, type Environment } from "./key-variables.ts";
import { parseKeys, type ApiKey } from "./parse-keys.ts";

/** Mounted secrets are exchanged as whole folders, which watchers of files do not see. */
const READ_EVERY_MS = 10_000;

/** Where keys come from, and how they are read again. */
export interface KeySource {
  readonly first: readonly ApiKey[];
  /** @throws ToolError `USAGE` */
  readonly read: () => Promise<readonly ApiKey[]>;
}

/**
 * The keys that `SLIPWAY_API_KEYS_FILE` and `SLIPWAY_API_KEYS` name together; undefined where neither does. A server with keys answers
 * probes without one, and nothing else.
 * @throws ToolError `USAGE` naming file and line
 */
export async function readKeys(env: Environment, root = ""): Promise<KeySource | undefined> {
  const [file = "", own = ""] = [env[FILE]?.trim(), env[KEYS]?.replaceAll(";", "\n")];
  const isOwn = own.trim() !== "";
  if (file === "" && !isOwn) return undefined;
  const read = async (): Promise<readonly ApiKey[]> => {
    const lines = file === "" ? "" : await readText(join(root, file));
    const place = [file === "" ? "" : `"${file}"`, isOwn ? KEYS : ""].filter((one) => one !== "");
    return parseKeys(`${lines}\n${isOwn ? own : ""}`, place.join(" and "));
  };
  return { first: await read(), read };
}

async function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: unknown) => {
    throw new ToolError(
      "USAGE",
      `read the API keys of "${path}": ${error instanceof Error ? error.message : String(error)}`,
      { cause: error, hint: `${FILE} names the file` },
    );
  });
}

/** Looks for other keys. */
export interface KeyFollower extends Disposable {
  /** Looks now. Never rejects. */
  look(): Promise<void>;
}

/** Takes exchanged keys into use: they are read again every 10 s, and when `look` is called. What cannot be read changes nothing, and the log says why. */
export function followKeys(
  { read, first }: KeySource,
  server: { readonly replaceKeys: (keys: readonly ApiKey[]) => void },
  log: Logger,
): KeyFollower {
  let [last, fault] = [fingerprint(first), ""];
  const look = async (): Promise<void> => {
    try {
      const keys = await read();
      fault = "";
      if (fingerprint(keys) === last) return;
      last = fingerprint(keys);
      server.replaceKeys(keys);
      log.info({ keys: keys.length }, "the API keys were exchanged");
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== fault) log.error({}, `exchange the API keys: those before go on: ${why}`);
      fault = why;
    }
  };
  const timer = setInterval(() => void look(), READ_EVERY_MS); // it never rejects
  timer.unref();
  return { look, [Symbol.dispose]: () => clearInterval(timer) };
}

function fingerprint(keys: readonly ApiKey[]): string {
  return JSON.stringify(
    keys.map(({ name, digest, scopes, rate }) => [name, digest.toString("hex"), [...scopes], rate]),
  );
}
