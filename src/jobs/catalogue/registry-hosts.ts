import { ToolError } from "../../ground/errors/index.ts";

/** One registry with two hosts: one from anywhere, one inside the maker's network. They may be the same. */
export interface RegistryHosts {
  readonly public: string;
  readonly internal: string;
}

/** From where a registry is used. */
export type RegistrySide = keyof RegistryHosts;

/** The vendor's registry. */
export const UAI_REGISTRY: RegistryHosts = {
  public: "uhub.ucloud.cn",
  internal: "uhub.service.ucloud.cn",
};

const HAS_HOST = /^(?:localhost|[^/]*[.:][^/]*)\//;
const HOST = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$/;

/**
 * Reads pairs of hosts as a setting has them, `PUBLIC=INTERNAL` with commas between; empty text has none.
 * @throws ToolError `USAGE` for what is no pair of hosts, and for a host that stands in two pairs.
 */
export function parseRegistryHosts(text: string): readonly RegistryHosts[] {
  const seen = new Set<string>();
  return text
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== "")
    .map((entry) => {
      const [outside = "", inside = "", ...rest] = entry.split("=").map((host) => host.trim());
      if (rest.length > 0 || !HOST.test(outside) || !HOST.test(inside))
        throw refuse(entry, "it is not two hosts");
      const hosts = new Set([outside, inside]);
      for (const host of hosts) {
        if (seen.has(host)) throw refuse(entry, `"${host}" stands in two pairs`);
        seen.add(host);
      }
      return { public: outside, internal: inside };
    });
}

/**
 * The registries with two hosts that a setting names, and the vendor's where the setting says nothing else of its hosts. The first is the
 * one that a namespace alone is in.
 * @throws ToolError `USAGE`, as `parseRegistryHosts`.
 */
export function knownRegistries(
  setting: string | undefined,
): readonly [RegistryHosts, ...RegistryHosts[]] {
  const given = parseRegistryHosts(setting ?? "");
  const hosts = new Set(given.flatMap((pair) => [pair.public, pair.internal]));
  const isNamed = hosts.has(UAI_REGISTRY.public) || hosts.has(UAI_REGISTRY.internal);
  const [first = UAI_REGISTRY, ...rest] = isNamed ? given : [...given, UAI_REGISTRY];
  return [first, ...rest];
}

/** An image's name with the host of that side; names whose host is in no pair come back as they are. */
export function switchRegistryHost(
  image: string,
  side: RegistrySide,
  pairs: readonly RegistryHosts[] = [UAI_REGISTRY],
): string {
  const slash = image.indexOf("/");
  if (slash < 0) return image;
  const host = image.slice(0, slash).toLowerCase();
  const pair = pairs.find((hosts) => hosts.public === host || hosts.internal === host);
  return pair === undefined || pair[side] === host ? image : pair[side] + image.slice(slash);
}

/**
 * The whole name of an image that is to be made. A namespace alone is in the first registry, on the public side when nothing is said; a name
 * with a host of its own keeps it, unless a side is said and its registry has another host there.
 */
export function nameInRegistry(
  name: string,
  {
    side,
    registries,
  }: {
    readonly side: RegistrySide | undefined;
    readonly registries: readonly [RegistryHosts, ...RegistryHosts[]];
  },
): string {
  if (!HAS_HOST.test(name)) return `${registries[0][side ?? "public"]}/${name}`;
  return side === undefined ? name : switchRegistryHost(name, side, registries);
}

function refuse(entry: string, why: string): ToolError {
  return new ToolError(
    "USAGE",
    `read the pairs of registry hosts: "${entry.slice(0, 200)}": ${why}`,
    { hint: "write them as PUBLIC=INTERNAL, with commas between pairs" },
  );
}
