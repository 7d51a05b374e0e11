import { stripControls, ToolError } from "../../ground/errors/index.ts";
import type { CallOptions } from "../../ground/bytes/index.ts";
import type { Container, ContainerState, PublishedPort } from "./contracts.ts";
import type { EngineCall } from "./engine-call.ts";
import { explainEngine } from "./explain.ts";

const DEFAULT_GRACE_S = 10;

/** A container of an engine, by its id. */
export function createContainer(call: EngineCall, id: string): Container {
  if (!/^[0-9a-f]{12,64}$/.test(id))
    throw new ToolError(
      "ENGINE_FAILED",
      `start a container in ${call.kind}: "${stripControls(id)}" is not the id of one`,
    );
  return {
    id,
    inspect: (options) => inspect(call, id, options),
    async logs(onText, { isFollowing = true, tail, signal } = {}) {
      const args = [
        "logs",
        ...(isFollowing ? ["--follow"] : []),
        ...(tail === undefined ? [] : ["--tail", String(tail)]),
        id,
      ];
      const decoder = new TextDecoder();
      await call.run(args, {
        signal,
        onStdout: (chunk) => onText(decoder.decode(chunk, { stream: true })),
        onStderr: onText,
      });
    },
    async wait(options) {
      const { stdout } = await call.run(["wait", id], options);
      return Number.parseInt(stdout.toString("utf8"), 10);
    },
    async stop({ graceS = DEFAULT_GRACE_S, signal } = {}) {
      try {
        await call.run(["stop", "--time", String(graceS), id], { signal });
      } catch (error) {
        throw explainEngine(error, call.kind, "stop a container");
      }
    },
    async remove(options) {
      await call.run(["rm", "--force", "--volumes", id], { ...options, allowFailure: true });
    },
  };
}

async function inspect(
  call: EngineCall,
  id: string,
  options: CallOptions = {},
): Promise<ContainerState> {
  try {
    const { stdout } = await call.run(
      [
        "inspect",
        "--type",
        "container",
        "--format",
        "{{json .State}}\n{{json .NetworkSettings.Ports}}",
        id,
      ],
      options,
    );
    const [state, ports] = stdout
      .toString("utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    return { ...parseState(state), ports: parsePorts(ports) };
  } catch (error) {
    throw explainEngine(error, call.kind, "inspect a container");
  }
}

function parseState(value: unknown): Omit<ContainerState, "ports"> {
  const { Running, ExitCode, OOMKilled } = (value ?? {}) as {
    readonly Running?: unknown;
    readonly ExitCode?: unknown;
    readonly OOMKilled?: unknown;
  };
  return {
    isRunning: Running === true,
    exitCode: typeof ExitCode === "number" ? ExitCode : -1,
    isOutOfMemory: OOMKilled === true,
  };
}

/** `{"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "49153"}]}` */
function parsePorts(value: unknown): readonly PublishedPort[] {
  return Object.entries((value ?? {}) as Readonly<Record<string, unknown>>).flatMap(
    ([name, bindings]) =>
      (Array.isArray(bindings) ? bindings : []).flatMap((binding: unknown) => {
        const { HostIp, HostPort } = binding as {
          readonly HostIp?: unknown;
          readonly HostPort?: unknown;
        };
        const hostPort = Number(HostPort);
        return Number.isInteger(hostPort) && hostPort > 0
          ? [
              {
                containerPort: Number.parseInt(name, 10),
                host: typeof HostIp === "string" && HostIp !== "" ? HostIp : "0.0.0.0",
                hostPort,
              },
            ]
          : [];
      }),
  );
}
