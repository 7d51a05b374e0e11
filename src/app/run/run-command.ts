import { resolve } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import type { MountRequest, PortRequest } from "../../images/engine/index.ts";
import { environment, flag, needed, parsedEach, scaled, text } from "../options/kinds.ts";
import type { CommandSpec } from "../options/option.ts";
import { ENGINE_NEED } from "../options/needs.ts";
import { ENGINE, IMAGE_HELP } from "../options/shared.ts";
import { parsePortNumber } from "../options/values.ts";
import type { RunRequest } from "./run-in-engine.ts";

/** `slipway run IMAGE`. */
export const RUN_COMMAND: CommandSpec<RunRequest> = {
  options: {
    name: needed("<image>", IMAGE_HELP),
    ports: parsedEach(
      "-p, --port <host:container>",
      "publish a port on 127.0.0.1; may come more than once (default: the one that answers HTTP)",
      (value) => [parsePort(value)],
    ),
    env: environment(
      "-e, --env <name=value>",
      "environment; NAME alone hands on this shell's value",
    ),
    mounts: parsedEach(
      "-v, --volume <source:target>",
      "mount a file or folder; :ro after it makes it read-only",
      (value, { cwd }) => [parseMount(value, cwd)],
    ),
    gpus: text("--gpus <which>", "graphics cards, such as all"),
    engine: ENGINE,
    isDetached: flag("-d, --detach", "return when it is ready, and leave it running"),
    platform: text(
      "--platform <os/arch>",
      "of a multi-platform image, this one (default: this machine's)",
    ),
    isPull: flag("--pull", "ask the registry, though the store has an image of that name"),
    isUnpacked: flag(
      "--unpacked",
      "run it as a plain process of this machine, without an engine and without isolation",
    ),
    timeoutMs: scaled("--timeout <seconds>", "how long it may take to be ready", 1000, {
      byDefault: 120,
    }),
  },
  needs: [{ ...ENGINE_NEED, what: "runs the image; --unpacked does without" }],
  registry: {},
  notes: ["Shows what the image prints until Ctrl-C."],
  examples: [
    "slipway run store:iris",
    "slipway run localhost:5000/iris:v1 -p 9000:9000 -e LOG_LEVEL=debug",
  ],
};

/** `[ADDRESS:][HOST:]CONTAINER[/tcp]`, as docker writes it. @throws ToolError `USAGE`. */
export function parsePort(text: string): PortRequest {
  const [, address, host, container] =
    /^(?:(\[[0-9a-fA-F:]+\]|[^:[\]]+):(?=[^:]*:))?(?:(\d*):)?(\d+)(?:\/tcp)?$/.exec(text) ?? [];
  if (container === undefined)
    throw new ToolError("USAGE", `-p "${text}": it is not HOST:CONTAINER`, {
      hint: "write -p 9000:9000",
    });
  return {
    containerPort: parsePortNumber(container),
    ...(host === undefined || host === "" ? {} : { hostPort: parsePortNumber(host) }),
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
