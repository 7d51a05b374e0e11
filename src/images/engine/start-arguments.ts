import { isAbsolute } from "node:path";
import { stripControls, ToolError } from "../../ground/errors/index.ts";
import type { ContainerRequest, EngineKind, MountRequest, PortRequest } from "./contracts.ts";

/**
 * Arguments of `run` after its options. Variables go by name only; their values are in the engine program's environment.
 * @throws ToolError `USAGE` for what the engine could not take or would read as something else.
 */
export function startArguments(request: ContainerRequest, kind: EngineKind): readonly string[] {
  checkImage(request.image);
  return [
    `--pull=${request.pull ?? "never"}`,
    ...option("--name", request.name),
    ...option("--user", request.user),
    ...option("--platform", request.platform),
    ...option("--entrypoint", request.entrypoint),
    ...option("--shm-size", request.sharedMemory),
    ...option("--memory", request.memory),
    ...(request.ports ?? []).flatMap((port) => ["--publish", portArgument(port)]),
    ...(request.mounts ?? []).flatMap((mount) => ["--mount", mountArgument(mount)]),
    ...Object.keys(request.env ?? {}).flatMap((name) => ["--env", checkedVariable(name)]),
    ...gpuArguments(request.gpus, kind),
    request.image,
    ...(request.command ?? []),
  ];
}

function option(name: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [`${name}=${value}`];
}

function portArgument({ containerPort, hostPort, host = "127.0.0.1" }: PortRequest): string {
  const address = host.includes(":") ? `[${host}]` : host;
  return `${address}:${hostPort ?? ""}:${containerPort}`;
}

/** The engines read this as comma-separated values, so a path with a comma or a quote is refused rather than misread. */
function mountArgument({ source, target, readOnly = false }: MountRequest): string {
  for (const path of [source, target]) {
    if (!isAbsolute(path) || /[,"\n]/.test(path)) {
      throw new ToolError(
        "USAGE",
        `mount "${stripControls(path)}": the path must be absolute and hold neither a comma nor a quote`,
        { hint: "rename the folder" },
      );
    }
  }
  return `type=bind,source=${source},target=${target}${readOnly ? ",readonly" : ""}`;
}

function checkedVariable(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name))
    throw new ToolError(
      "USAGE",
      `set the variable "${stripControls(name)}": that is not the name of a variable`,
    );
  return name;
}

/** docker takes `--gpus`; podman takes devices as the container device interface names them. */
function gpuArguments(gpus: string | undefined, kind: EngineKind): readonly string[] {
  if (gpus === undefined) return [];
  if (kind === "docker") return ["--gpus", gpus];
  return gpus
    .split(",")
    .flatMap((gpu) => ["--device", gpu.includes("=") ? gpu : `nvidia.com/gpu=${gpu}`]);
}

function checkImage(image: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._:@/-]*$/.test(image))
    throw new ToolError(
      "USAGE",
      `start an image: "${stripControls(image)}" is not the name of an image`,
    );
}
