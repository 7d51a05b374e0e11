import { isToolError, ToolError } from "../../ground/errors/index.ts";
import type { CallOptions } from "../../ground/bytes/index.ts";
import { createHttpClient, download } from "../../ground/http/index.ts";
import type { Environment } from "../session.ts";

/** Node for one platform takes about 60 MB. */
const MAX_BYTES = 1 << 30;

/** What is downloaded, and how the way there is found. */
export interface PackageDownload {
  readonly name: string;
  readonly version: string;
  /** `npm_config_registry` and the proxy variables. */
  readonly env: Environment;
  /** PEM certificates of authorities to trust besides the usual ones. */
  readonly ca?: string | undefined;
}

/**
 * Streams a package of the npm registry as a gzipped tar, from the registry that npm is set up for, through the proxy that the
 * environment names. The caller verifies its hash.
 * @throws ToolError `REGISTRY_UNREACHABLE`, `REFERENCE_NOT_FOUND`, and others as `download` does.
 */
export async function* downloadPackage(
  { name, version, env, ca }: PackageDownload,
  { signal }: CallOptions = {},
): AsyncGenerator<Uint8Array> {
  const base = (
    env["npm_config_registry"] ??
    env["NPM_CONFIG_REGISTRY"] ??
    "https://registry.npmjs.org/"
  ).replace(/\/*$/, "/");
  if (!URL.canParse(base))
    throw new ToolError("USAGE", `download "${name}@${version}": npm_config_registry is no URL`, {
      hint: "set npm_config_registry to an http or https URL",
    });
  using client = createHttpClient({ ca, env });
  const action = `download "${name}@${version}" from the npm registry`;
  try {
    const url = new URL(`${name}/-/${name}-${version}.tgz`, base);
    yield* download(client, { action, url, maxBytes: MAX_BYTES, signal });
  } catch (error) {
    if (!isToolError(error) || error.code !== "REGISTRY_UNREACHABLE") throw error;
    throw new ToolError("REGISTRY_UNREACHABLE", error.message, {
      cause: error,
      hint: "set npm_config_registry when you use a mirror, and HTTPS_PROXY when you need a proxy",
    });
  }
}
