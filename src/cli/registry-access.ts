import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { parseLocation } from "../images/copy/index.ts";
import { ToolError } from "../ground/errors/index.ts";
import type { RegistryOptions } from "../images/registry/index.ts";
import type { Context } from "./context.ts";
import { collect, countOf } from "./options.ts";
import { readSecret } from "./prompt.ts";
import { registryHostOf } from "./registry-host.ts";

/** How registries are reached, as the command line has it. */
export interface RegistryAccess {
  /** PEM file. */
  readonly caFile?: string | undefined;
  /** `REGISTRY=HOST`, or `HOST` for a mirror of Docker Hub. */
  readonly mirrors: readonly string[];
  /** For one registry; wins over every other credential. */
  readonly login?: {
    readonly registry: string;
    readonly username: string;
    readonly password: string;
  };
  readonly chunkBytes?: number | undefined;
}

export interface RegistryFlags {
  readonly caFile?: string;
  readonly registryMirror?: readonly string[];
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly chunkSize?: number;
}

/** Where docker looks for the authorities of a registry, a folder for each host. */
const DOCKER_CERTS = "/etc/docker/certs.d";
const MIB = 2 ** 20;

/** Adds the options by which a command is told how to reach registries. */
export function addRegistryFlags(
  command: Command,
  { sends = false }: { readonly sends?: boolean } = {},
): Command {
  command
    .optionsGroup("Registry options:")
    .option(
      "--username <name>",
      "who you are at the registry, for this command only; with --password-stdin",
    )
    .option("--password-stdin", "read the password or token for --username from standard input")
    .option("--ca-file <file>", "PEM certificates of authorities to trust besides the usual ones")
    .option(
      "--registry-mirror <registry=host>",
      "read from this host first; may come more than once",
      collect,
    );
  if (sends)
    command.option(
      "--chunk-size <mib>",
      "largest body of one upload request, for proxies that limit it (default: found out)",
      countOf,
    );
  return command.optionsGroup("Options:");
}

/**
 * The context for a command with such options. @param names - places of the command line; the credential is for the registry among them.
 * @throws ToolError `USAGE` when it is not clear for which registry.
 */
export async function withRegistryFlags(
  context: Context,
  flags: RegistryFlags,
  names: readonly (string | undefined)[],
): Promise<Context> {
  const login = await loginOf(flags, names, context);
  const access: RegistryAccess = {
    caFile: flags.caFile,
    mirrors: flags.registryMirror ?? [],
    chunkBytes: flags.chunkSize === undefined ? undefined : flags.chunkSize * MIB,
    ...(login === undefined ? {} : { login }),
  };
  return { ...context, access };
}

/** What a registry's client is told of all this; also of `SLIPWAY_REGISTRY_MIRRORS`, `SSL_CERT_FILE` and docker's certificate folders. */
export async function accessTo(
  host: string,
  { access, env, cwd }: Context,
): Promise<Pick<RegistryOptions, "ca" | "mirrors" | "chunkBytes">> {
  const mirrors = [
    ...(access?.mirrors ?? []),
    ...(env["SLIPWAY_REGISTRY_MIRRORS"] ?? "").split(/[\s,]+/).filter((text) => text !== ""),
  ].map(parseMirror);
  const files = [access?.caFile, env["SSL_CERT_FILE"]].flatMap((file) =>
    file === undefined || file === "" ? [] : [resolve(cwd, file)],
  );
  const certificates = [
    ...(await Promise.all(files.map(readCertificates))),
    ...(await dockerCertificates(host)),
  ];
  return {
    mirrors: mirrors.flatMap(({ registry, mirror }) => (registry === host ? [mirror] : [])),
    chunkBytes: access?.chunkBytes,
    ca: certificates.length === 0 ? undefined : certificates.join("\n"),
  };
}

/** `REGISTRY=HOST`, or `HOST` alone for Docker Hub. @throws ToolError `USAGE`. */
function parseMirror(text: string): { readonly registry: string; readonly mirror: string } {
  const at = text.indexOf("=");
  return at < 0
    ? { registry: "docker.io", mirror: registryHostOf(text) }
    : { registry: registryHostOf(text.slice(0, at)), mirror: registryHostOf(text.slice(at + 1)) };
}

async function loginOf(
  { username, passwordStdin }: RegistryFlags,
  names: readonly (string | undefined)[],
  context: Context,
): Promise<RegistryAccess["login"]> {
  if (username === undefined && passwordStdin !== true) return undefined;
  if (username === undefined || passwordStdin !== true)
    throw new ToolError(
      "USAGE",
      `${username === undefined ? "--password-stdin" : "--username"} is given alone`,
      { hint: "give both: --username NAME --password-stdin < file" },
    );
  const registries = [
    ...new Set(names.flatMap((name) => (name === undefined ? [] : registryIn(name)))),
  ];
  const [registry] = registries;
  if (registry === undefined || registries.length > 1) {
    throw new ToolError(
      "USAGE",
      `--username: ${registry === undefined ? "no registry is named" : `it is not clear whether it is for ${registries.join(" or ")}`}`,
      { hint: "run `slipway login HOST` instead" },
    );
  }
  return { registry, username, password: await readSecret(context) };
}

function registryIn(name: string): readonly string[] {
  const location = parseLocation(name);
  return location.kind === "registry" ? [location.reference.registry] : [];
}

async function readCertificates(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new ToolError(
      "USAGE",
      `read the certificates in "${file}": ${(error as NodeJS.ErrnoException).code ?? "it cannot be read"}`,
      { cause: error },
    );
  });
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new ToolError("USAGE", `read the certificates in "${file}": there is none`, {
    hint: "give a file with PEM certificates",
  });
}

async function dockerCertificates(host: string): Promise<readonly string[]> {
  const folder = join(DOCKER_CERTS, host);
  const names = await readdir(folder).catch(() => []);
  return Promise.all(
    names
      .filter((name) => name.endsWith(".crt"))
      .map((name) => readCertificates(join(folder, name))),
  );
}
