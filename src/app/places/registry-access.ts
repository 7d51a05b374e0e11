import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import type { RegistryOptions } from "../../images/registry/index.ts";
import type { Environment, Places } from "../session.ts";
import { registryHostOf } from "./registry-host.ts";

/** How registries are reached. */
export interface RegistryAccess {
  /** Proxies, credentials and further mirrors stand in its variables. */
  readonly environment: Environment;
  /** What requests say of who sends them. */
  readonly userAgent: string;
  /** Speak plain HTTP also to a registry that is not on loopback. */
  readonly isPlainHttp: boolean;
  /** Addresses of host names that are not looked up, by name in lower case. */
  readonly hosts?: ReadonlyMap<string, string> | undefined;
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

/** Where docker looks for the authorities of a registry, a folder for each host. */
const DOCKER_CERTS = "/etc/docker/certs.d";

/** What a registry's client is told of all this; also of `SLIPWAY_REGISTRY_MIRRORS`, `SSL_CERT_FILE` and docker's certificate folders. */
export async function accessTo(
  host: string,
  { access, cwd }: Pick<Places, "access" | "cwd">,
): Promise<Pick<RegistryOptions, "ca" | "mirrors" | "chunkBytes">> {
  const mirrors = [
    ...access.mirrors,
    ...(access.environment["SLIPWAY_REGISTRY_MIRRORS"] ?? "")
      .split(/[\s,]+/)
      .filter((text) => text !== ""),
  ].map(parseMirror);
  const files = [access.caFile, access.environment["SSL_CERT_FILE"]].flatMap((file) =>
    file === undefined || file === "" ? [] : [resolve(cwd, file)],
  );
  const certificates = [
    ...(await Promise.all(files.map(readCertificates))),
    ...(await dockerCertificates(host)),
  ];
  return {
    mirrors: mirrors.flatMap(({ registry, mirror }) => (registry === host ? [mirror] : [])),
    chunkBytes: access.chunkBytes,
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
  const names = await readdir(folder).catch(() => []); // only root may read it on some machines
  return Promise.all(
    names
      .filter((name) => name.endsWith(".crt"))
      .map((name) => readCertificates(join(folder, name))),
  );
}
