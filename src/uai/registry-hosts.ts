import { ToolError } from "../errors/index.ts";

/** One registry with two hosts: one from anywhere, one inside the maker's network. They may be the same. */
export interface RegistryHosts {
  readonly public: string;
  readonly internal: string;
}

/** From where a registry is used. */
export type RegistrySide = keyof RegistryHosts;

/** The vendor's registry. */
export const UAI_REGISTRY: RegistryHosts = { public: "uhub.ucloud.cn", internal: "uhub.service.ucloud.cn" };

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
      if (rest.length > 0 || !HOST.test(outside) || !HOST.test(inside)) throw refuse(entry, "it is not two hosts");
      const hosts = new Set([outside, inside]);
      for (const host of hosts) {
        if (seen.has(host)) throw refuse(entry, `"${host}" stands in two pairs`);
        seen.add(host);
      }
      return { public: outside, internal: inside };
    });
}

/** An image's name with the host of that side; names whose host is in no pair come back as they are. */
export function switchRegistryHost(image: string, side: RegistrySide, pairs: readonly RegistryHosts[] = [UAI_REGISTRY]): string {
  const slash = image.indexOf("/");
  if (slash < 0) return image;
  const host = image.slice(0, slash).toLowerCase();
  const pair = pairs.find((hosts) => hosts.public === host || hosts.internal === host);
  return pair === undefined || pair[side] === host ? image : pair[side] + image.slice(slash);
}

function refuse(entry: string, why: string): ToolError {
  return new ToolError("USAGE", `read the pairs of registry hosts: "${entry.slice(0, 200)}": ${why}`, { hint: "write them as PUBLIC=INTERNAL, with commas between pairs" });
}
