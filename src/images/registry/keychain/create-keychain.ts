import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { ToolError } from "../../../ground/errors/index.ts";
import type { Credential, CredentialOptions, CredentialOrigin, Keychain } from "./contracts.ts";
import { credentialOf, parseAuthFile, type AuthFile } from "./auth-file.ts";
import { getFromHelper, helperFor, helperProgram } from "./helper.ts";
import { matchingKeys } from "./match-key.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface KeychainOptions {
  /** Default: empty, so that nothing but the home folder's files is read. */
  readonly environment?: Environment | undefined;
  /** Given on the command line or its standard input, for one registry; wins over everything. */
  readonly explicit?: { readonly registry: string; readonly credential: Credential } | undefined;
  /** Default: `HOME` of the environment, else the user's home folder. */
  readonly home?: string | undefined;
}

/** A place that may hold credentials. */
interface CredentialSource {
  readonly source: string;
  /** In messages. */
  readonly shown: string;
  readonly file?: string;
  /** The text, or nothing when the place does not exist. */
  read(): Promise<string | undefined>;
  /** Helpers are asked for this place only. */
  readonly mayAskHelpers: boolean;
}

interface FoundCredential {
  readonly credential: Credential;
  readonly origin: Omit<CredentialOrigin, "registry" | "kind" | "searched">;
}

/**
 * Looks in this order, and takes the first that knows the registry: what was given explicitly; `SLIPWAY_REGISTRY_USER` and
 * `SLIPWAY_REGISTRY_PASSWORD`, or `SLIPWAY_REGISTRY_TOKEN`, for the registry that `SLIPWAY_REGISTRY` names; `DOCKER_AUTH_CONFIG`; docker's config with its helpers; `REGISTRY_AUTH_FILE`; podman's file of the session; podman's file of the user.
 * Files are read when they are first asked for, once.
 */
export function createKeychain(options: KeychainOptions = {}): Keychain {
  const environment = options.environment ?? {};
  const places = placesOf(environment, options.home ?? environment["HOME"] ?? homedir());
  const files = new Map<CredentialSource, Promise<AuthFile | undefined>>();
  const fileOf = (place: CredentialSource): Promise<AuthFile | undefined> => {
    const known =
      files.get(place) ??
      place
        .read()
        .then((text) =>
          text === undefined || text.trim() === "" ? undefined : parseAuthFile(text, place.shown),
        );
    files.set(place, known);
    return known;
  };
  const search = async (
    host: string,
    call: CredentialOptions,
    searched: string[],
  ): Promise<FoundCredential | undefined> => {
    const given = explicitFor(options, environment, host);
    if (given !== undefined) return given;
    for (const place of places) {
      const file = await fileOf(place);
      if (file === undefined) continue;
      const found = await searchFile(file, place, {
        ...call,
        host,
        environment: options.environment,
      });
      if (found !== undefined) return found;
      searched.push(place.shown);
    }
    return undefined;
  };
  return {
    credentialFor: async (host, call = {}) => (await search(host, call, []))?.credential,
    async describeCredential(host, call = {}) {
      const searched: string[] = [];
      const found = await search(host, call, searched);
      if (found === undefined)
        return { registry: host, kind: "anonymous", source: "none", searched };
      const username =
        found.credential.kind === "basic" ? { username: found.credential.username } : {};
      return {
        registry: host,
        kind: found.credential.kind,
        ...found.origin,
        ...username,
        searched,
      };
    },
  };
}

/** Where docker's own config lies. */
export function dockerConfigPath(environment: Environment, home: string): string {
  return join(textIn(environment, "DOCKER_CONFIG") ?? join(home, ".docker"), "config.json");
}

function explicitFor(
  { explicit }: KeychainOptions,
  environment: Environment,
  host: string,
): FoundCredential | undefined {
  if (explicit?.registry === host)
    return { credential: explicit.credential, origin: { source: "the command line" } };
  const username = textIn(environment, "SLIPWAY_REGISTRY_USER");
  const token = textIn(environment, "SLIPWAY_REGISTRY_TOKEN");
  const registry = textIn(environment, "SLIPWAY_REGISTRY");
  if (username === undefined && token === undefined) return undefined;
  // Without a host they would be sent to whatever registry a base image comes from.
  if (registry === undefined)
    throw new ToolError(
      "CREDENTIAL_INVALID",
      "use the credential in SLIPWAY_REGISTRY_USER or SLIPWAY_REGISTRY_TOKEN: it is not said for which registry",
      { hint: "set SLIPWAY_REGISTRY to the registry's host" },
    );
  if (registry !== host) return undefined;
  if (token !== undefined)
    return {
      credential: { kind: "registry-token", token },
      origin: { source: "SLIPWAY_REGISTRY_TOKEN" },
    };
  return {
    credential: {
      kind: "basic",
      username: username ?? "",
      password: environment["SLIPWAY_REGISTRY_PASSWORD"] ?? "",
    },
    origin: { source: "SLIPWAY_REGISTRY_USER" },
  };
}

function textIn(environment: Environment, name: string): string | undefined {
  const text = environment[name];
  return text === "" ? undefined : text;
}

function placesOf(environment: Environment, home: string): readonly CredentialSource[] {
  const text = textIn(environment, "DOCKER_AUTH_CONFIG");
  const named = textIn(environment, "REGISTRY_AUTH_FILE");
  const runtime = textIn(environment, "XDG_RUNTIME_DIR");
  const config = textIn(environment, "XDG_CONFIG_HOME") ?? join(home, ".config");
  return [
    ...(text === undefined
      ? []
      : [
          {
            source: "DOCKER_AUTH_CONFIG",
            shown: "DOCKER_AUTH_CONFIG",
            read: async () => text,
            mayAskHelpers: false,
          },
        ]),
    filePlace("docker config", dockerConfigPath(environment, home)),
    ...(named === undefined ? [] : [filePlace("REGISTRY_AUTH_FILE", named)]),
    ...(runtime === undefined
      ? []
      : [filePlace("podman auth file", join(runtime, "containers", "auth.json"))]),
    filePlace("podman auth file", join(config, "containers", "auth.json")),
  ];
}

function filePlace(source: string, file: string): CredentialSource {
  return { source, shown: `"${file}"`, file, mayAskHelpers: true, read: () => readIfThere(file) };
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new ToolError(
      "CREDENTIAL_INVALID",
      `read credentials from "${file}": ${code === "EACCES" ? "permission denied" : (code ?? "it cannot be read")}`,
      { cause: error },
    );
  }
}

type Search = CredentialOptions & {
  readonly host: string;
  readonly environment: Environment | undefined;
};

/** A helper for the registry wins over the general one, which wins over what the file itself holds. */
async function searchFile(
  file: AuthFile,
  place: CredentialSource,
  search: Search,
): Promise<FoundCredential | undefined> {
  const origin = {
    source: place.source,
    ...(place.file === undefined ? {} : { file: place.file }),
  };
  const helper = place.mayAskHelpers ? helperFor(file, search.host) : undefined;
  if (helper !== undefined) {
    const credential = await getFromHelper(helper.suffix, helper.serverUrl, {
      signal: search.signal,
      environment: search.environment,
    });
    if (credential !== undefined)
      return {
        credential,
        origin: { ...origin, key: helper.serverUrl, helper: helperProgram(helper.suffix) },
      };
  }
  for (const key of matchingKeys(file.auths.keys(), search.host, search.repository)) {
    const entry = file.auths.get(key);
    const credential = entry === undefined ? undefined : credentialOf(entry);
    if (credential !== undefined) return { credential, origin: { ...origin, key } };
  }
  return undefined;
}
