import { resolve } from "node:path";
import type { MountRequest, PortRequest } from "../app/index.ts";
import { ToolError } from "../ground/errors/index.ts";
import { portOf } from "./options.ts";

/** `[ADDRESS:][HOST:]CONTAINER[/tcp]`, as docker writes it. @throws ToolError `USAGE`. */
export function parsePort(text: string): PortRequest {
  const [, address, host, container] =
    /^(?:(\[[0-9a-fA-F:]+\]|[^:[\]]+):(?=[^:]*:))?(?:(\d*):)?(\d+)(?:\/tcp)?$/.exec(text) ?? [];
  if (container === undefined)
    throw new ToolError("USAGE", `-p "${text}": it is not HOST:CONTAINER`, {
      hint: "write -p 9000:9000",
    });
  return {
    containerPort: portOf(container),
    ...(host === undefined || host === "" ? {} : { hostPort: portOf(host) }),
    ...(address === undefined ? {} : { host: address.replace(/^\[|\]$/g, "") }),
  };
}

/** `SOURCE:TARGET[:ro]`; the source may be relative to `cwd`. @throws ToolError `USAGE`. */
export function parseMount(text: string, cwd: string): MountRequest {
  const [, source, target, mode] = /^([^:]+):(\/[^:]*)(?::(ro|rw))?$/.exec(text) ?? [];
  if (source === undefined || target === undefined)
    throw new ToolError("USAGE", `-v "${text}": it is not SOURCE:TARGET`, {
      hint: "write -v ./data:/data, or -v ./data:/data:ro",
    });
  return { source: resolve(cwd, source), target, readOnly: mode === "ro" };
}
