import { ToolError } from "../../ground/errors/index.ts";

const DOCKER_HUB = [
  "docker.io",
  "index.docker.io",
  "registry-1.docker.io",
  "registry.hub.docker.com",
];

/** The host of a registry as image names have it, also when it is written as an address. @throws ToolError `USAGE`. */
export function registryHostOf(text: string): string {
  const host = text
    .replace(/^https?:\/\//i, "")
    .replace(/\/.*$/s, "")
    .toLowerCase();
  if (!/^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/.test(host)) {
    throw new ToolError("USAGE", `"${text.slice(0, 200)}" is not the host of a registry`, {
      hint: "write it as registry.example.com or localhost:5000",
    });
  }
  return DOCKER_HUB.includes(host) ? "docker.io" : host;
}
