import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Put in by the bundler; the bundle has no package beside it. */
declare const SLIPWAY_VERSION: string | undefined;

/** Version of this server, as its package says it. */
export function serverVersion(): string {
  return typeof SLIPWAY_VERSION === "string" ? SLIPWAY_VERSION : versionOfPackage();
}

function versionOfPackage(): string {
  const path = join(import.meta.dirname, "../../../package.json");
  const { version } = JSON.parse(readFileSync(path, "utf8")) as { readonly version: string }; // our own file
  return version;
}
