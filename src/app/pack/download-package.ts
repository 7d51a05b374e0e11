import { ToolError } from "../../ground/errors/index.ts";
import type { CallOptions } from "../../ground/bytes/index.ts";
import type { Context } from "../context.ts";

/**
 * Streams a package of the npm registry as a gzipped tar, from the registry that npm is set up for. The caller verifies its hash.
 * @throws ToolError `REGISTRY_UNREACHABLE`, `REFERENCE_NOT_FOUND`.
 */
export async function* downloadPackage(
  about: { readonly name: string; readonly version: string; readonly env: Context["env"] },
  options: CallOptions = {},
): AsyncGenerator<Uint8Array> {
  const { name, version, env } = about;
  const base = (
    env["npm_config_registry"] ??
    env["NPM_CONFIG_REGISTRY"] ??
    "https://registry.npmjs.org/"
  ).replace(/\/*$/, "/");
  const url = `${base}${name}/-/${name}-${version}.tgz`;
  let response: Response;
  try {
    response = await fetch(url, options.signal === undefined ? {} : { signal: options.signal });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new ToolError(
      "REGISTRY_UNREACHABLE",
      `download "${name}@${version}": the npm registry does not answer`,
      { cause: error, hint: "set npm_config_registry when you use a mirror" },
    );
  }
  if (!response.ok || response.body === null)
    throw new ToolError(
      "REFERENCE_NOT_FOUND",
      `download "${name}@${version}": the npm registry answered ${response.status}`,
    );
  yield* response.body as unknown as AsyncIterable<Uint8Array>;
}
