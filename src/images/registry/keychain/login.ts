import { chmod, readFile, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { RegistryError, ToolError } from "../../../ground/errors/index.ts";
import { type CallOptions } from "../../../ground/bytes/index.ts";
import { noFile, writeFileAtomic } from "../../../ground/process/index.ts";
import type { RegistryOptions } from "../contracts.ts";
import { createRegistry } from "../create-registry.ts";
import { encodeAuth, parseAuthFile, type AuthFile } from "./auth-file.ts";
import { createKeychain, dockerConfigPath } from "./create-keychain.ts";
import { eraseFromHelper, helperFor, helperProgram, storeInHelper } from "./helper.ts";
import { matchingKeys, storageKeyOf } from "./match-key.ts";

export interface LoginOptions extends CallOptions {
  /** The registry and how to reach it; its keychain is not used. */
  readonly registry: Omit<RegistryOptions, "keychain">;
  readonly username: string;
  readonly password: string;
  /** Default: the environment's `HOME`, else the user's home folder. */
  readonly home?: string | undefined;
}

export interface LogoutOptions extends CallOptions {
  readonly host: string;
  readonly environment?: RegistryOptions["environment"];
  readonly home?: string | undefined;
}

/** Where a credential is kept now, or was. */
export interface LoginPlace {
  readonly file: string;
  readonly key: string;
  /** The program that keeps the secret, when the file does not. */
  readonly helper?: string;
}

type Document = Record<string, unknown>;

/**
 * Checks a credential with the registry, then keeps it where docker does: in the helper that is configured, else in
 * docker's config file (0600). Everything else in that file stays as it is.
 * @throws RegistryError `REGISTRY_UNAUTHORIZED` when it is refused: nothing is written then. ToolError `CREDENTIAL_INVALID`
 * when the file cannot be read or the helper fails, `STORE_UNWRITABLE` or `DISK_FULL`.
 */
export async function login(options: LoginOptions): Promise<LoginPlace> {
  const { registry, username, password, signal } = options;
  await verify(options);
  const config = await openConfig(registry.environment, options.home);
  const helper = helperFor(config.file, registry.host);
  const key = storageKeyOf(registry.host);
  const auths = objectIn(config.document, "auths");
  if (helper === undefined) {
    auths[key] = { auth: encodeAuth(username, password) };
  } else {
    await storeInHelper(
      helper.suffix,
      { serverUrl: helper.serverUrl, username, secret: password },
      { signal, environment: registry.environment },
    );
    // Docker leaves an empty entry, by which it knows where it is logged in.
    auths[key] = {};
  }
  await config.write();
  return {
    file: config.path,
    key: helper?.serverUrl ?? key,
    ...(helper === undefined ? {} : { helper: helperProgram(helper.suffix) }),
  };
}

/** Forgets a registry's credential in docker's config file and in its helper. @returns the place it was taken from, or nothing. */
export async function logout(options: LogoutOptions): Promise<LoginPlace | undefined> {
  const { host, environment, signal } = options;
  const config = await openConfig(environment, options.home);
  const helper = helperFor(config.file, host);
  const isErased =
    helper !== undefined &&
    (await eraseFromHelper(helper.suffix, helper.serverUrl, { signal, environment }));
  const auths = objectIn(config.document, "auths");
  const keys = matchingKeys(Object.keys(auths), host, undefined);
  for (const key of keys) delete auths[key];
  if (keys.length > 0) await config.write();
  if (keys.length === 0 && !isErased) return undefined;
  return {
    file: config.path,
    key: helper?.serverUrl ?? keys[0] ?? host,
    ...(isErased ? { helper: helperProgram(helper.suffix) } : {}),
  };
}

async function verify({ registry, username, password, signal }: LoginOptions): Promise<void> {
  const keychain = createKeychain({
    explicit: { registry: registry.host, credential: { kind: "basic", username, password } },
    environment: { HOME: "/nonexistent" },
  });
  await using client = createRegistry({ ...registry, keychain });
  try {
    await client.ping({ signal });
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== "REGISTRY_UNAUTHORIZED") throw error;
    const { method, url, status, diagnostics } = error;
    const hint = "check both; some registries want a token in place of the password";
    throw new RegistryError(
      "REGISTRY_UNAUTHORIZED",
      `log in to "${registry.host}" as "${username}": the registry refused the username or the password`,
      { method, url, status, diagnostics, hint, cause: error },
    );
  }
}

interface Config {
  readonly path: string;
  readonly file: AuthFile;
  readonly document: Document;
  write(): Promise<void>;
}

async function openConfig(
  environment: RegistryOptions["environment"],
  home: string | undefined,
): Promise<Config> {
  const named = dockerConfigPath(environment ?? {}, home ?? environment?.["HOME"] ?? homedir());
  // A link, as of a folder of dotfiles, stays a link.
  const path = (await realpath(named).catch(noFile)) ?? named;
  const text = await readText(path);
  const file = parseAuthFile(text === "" ? "{}" : text, `"${path}"`);
  const document = JSON.parse(text === "" ? "{}" : text) as Document; // parseAuthFile has found it to be an object
  return {
    path,
    file,
    document,
    async write() {
      const mode = await stat(path).then(
        (stats) => stats.mode & 0o777,
        () => 0o600,
      );
      await writeFileAtomic(path, JSON.stringify(document, undefined, "\t"), { mode: 0o600 });
      // The mask of the process can only have taken rights away; those that the file had are kept, as docker does.
      if (mode !== 0o600) await chmod(path, mode);
    },
  };
}

async function readText(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw new ToolError(
      "CREDENTIAL_INVALID",
      `read credentials from "${path}": ${(error as NodeJS.ErrnoException).code ?? "it cannot be read"}`,
      { cause: error },
    );
  }
}

function objectIn(document: Document, name: string): Document {
  const known = document[name];
  if (typeof known === "object" && known !== null && !Array.isArray(known))
    return known as Document; // just checked
  const made: Document = {};
  document[name] = made;
  return made;
}
