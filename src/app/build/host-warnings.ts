import { knownRegistries, type RegistryHosts } from "../../jobs/catalogue/index.ts";
import { parseLocation } from "../../images/copy/index.ts";
import { isToolError } from "../../ground/errors/index.ts";
import type { Places, Surroundings } from "../session.ts";
import { registryOptions } from "../places/places.ts";

/** Names of one build. */
export interface BuildNames {
  /** What `FROM` lines say; names with variables are passed over. */
  readonly bases: readonly string[];
  readonly tags: readonly string[];
}

/**
 * Warns where a registry that has one host for everybody and one inside its maker's network is named by both: in `FROM`, in the tag,
 * or in the login.
 */
export async function warnOfHosts(
  names: BuildNames,
  session: Places & Surroundings,
): Promise<void> {
  const registries = knownRegistries(session.environment["SLIPWAY_REGISTRY_HOSTS"]);
  for (const tag of names.tags.flatMap((name) => hostIn(name) ?? [])) {
    const other = otherHost(tag, registries);
    if (other === undefined) continue;
    if (names.bases.some((name) => hostIn(name) === other))
      session.emit({
        kind: "warning",
        text: `FROM names "${other}" and the tag "${tag}": these are two hosts of one registry, and from one place only one of them can be reached`,
      });
    if (!(await hasLogin(tag, session)) && (await hasLogin(other, session)))
      session.emit({
        kind: "warning",
        text: `the tag names "${tag}", and the login is for "${other}": run \`slipway login ${tag}\``,
      });
  }
}

function hostIn(name: string): string | undefined {
  if (name.includes("$") || name === "scratch") return undefined;
  try {
    const location = parseLocation(name);
    return location.kind === "registry" ? location.reference.registry : undefined;
  } catch (error) {
    if (isToolError(error)) return undefined; // a stage may be called what no image can be
    throw error;
  }
}

function otherHost(host: string, registries: readonly RegistryHosts[]): string | undefined {
  const pair = registries.find((hosts) => hosts.public === host || hosts.internal === host);
  if (pair === undefined || pair.public === pair.internal) return undefined;
  return pair.public === host ? pair.internal : pair.public;
}

async function hasLogin(host: string, session: Places & Surroundings): Promise<boolean> {
  const { keychain } = await registryOptions(host, session);
  return (await keychain?.credentialFor(host, { signal: session.signal })) !== undefined;
}
