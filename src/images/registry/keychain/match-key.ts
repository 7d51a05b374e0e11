/** Names under which Docker Hub's credential may be kept; the first is the one that docker writes. */
const HUB_KEYS = [
  "https://index.docker.io/v1/",
  "docker.io",
  "index.docker.io",
  "registry-1.docker.io",
];

/** The key under which docker keeps a registry's credential. */
export function storageKeyOf(registryHost: string): string {
  return isHub(registryHost) ? (HUB_KEYS[0] as string) : registryHost;
}

/**
 * Keys of a file that hold a registry's credential, best first: podman's `host/name/part`, longest first, then the host itself,
 * then old keys that are URLs. Only the whole host counts, with its port; there is no match by a part of a name.
 */
export function matchingKeys(
  keys: Iterable<string>,
  registryHost: string,
  repository: string | undefined,
): readonly string[] {
  const wanted = wantedNames(registryHost, repository);
  const all = [...keys];
  const exact = wanted.flatMap((name) => all.filter((key) => key === name));
  const asUrl = all.filter(
    (key) =>
      !exact.includes(key) &&
      hostOfKey(key) !== undefined &&
      sameHost(hostOfKey(key) ?? "", registryHost),
  );
  return [...exact, ...asUrl];
}

function wantedNames(registryHost: string, repository: string | undefined): readonly string[] {
  const parts = repository?.split("/") ?? [];
  const hosts = isHub(registryHost) ? ["docker.io"] : [registryHost];
  const namespaced = hosts.flatMap((host) =>
    parts.map((_part, index) => `${host}/${parts.slice(0, parts.length - index).join("/")}`),
  );
  return [...namespaced, ...(isHub(registryHost) ? HUB_KEYS : [registryHost])];
}

/** The host of a key that is a URL or ends in a slash or an API version, as old clients wrote them. */
function hostOfKey(key: string): string | undefined {
  const match = /^(?:https?:\/\/)?([^/]+)(?:\/(?:v[12]\/?)?)?$/.exec(key);
  return match?.[1];
}

function sameHost(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase() || (isHub(one) && isHub(other));
}

function isHub(host: string): boolean {
  return ["docker.io", "index.docker.io", "registry-1.docker.io"].includes(host.toLowerCase());
}
