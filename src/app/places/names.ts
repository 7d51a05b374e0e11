import { ToolError } from "../../ground/errors/index.ts";

/** `TYPE=PATH` or `TYPE:PATH` as a place. @throws ToolError `USAGE`. */
export function parseOutput(text: string): string {
  const match = /^(oci|oci-archive|docker-archive|docker-daemon|podman)[=:](.+)$/s.exec(text);
  if (match === null)
    throw new ToolError("USAGE", `--output "${text}": it is not TYPE=PATH`, {
      hint: "TYPE is oci, oci-archive, docker-archive, docker-daemon or podman",
    });
  return `${match[1]}:${match[2]}`;
}
