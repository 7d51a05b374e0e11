/** Docker Hub is spoken to at another host than the one in its image names. */
const API_HOSTS: Readonly<Record<string, string>> = {
  "docker.io": "registry-1.docker.io",
  "index.docker.io": "registry-1.docker.io",
};

/** The host that answers the API of a registry. */
export function apiHostOf(registryHost: string): string {
  return API_HOSTS[registryHost] ?? registryHost;
}
