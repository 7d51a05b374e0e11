import { access } from "node:fs/promises";
import { isToolError, ToolError } from "../../../ground/errors/index.ts";
import { type CallOptions } from "../../../ground/bytes/index.ts";
import { run } from "../../../ground/process/index.ts";
import { HOST_TARGET_FORMAT, parseHostTargets, type HostTarget } from "./sources.ts";

/** What the host's own apt says about itself. */
export interface AptHost {
  readonly targets: readonly HostTarget[];
  /** Lines of apt configuration that make the network work on this host: proxies, certificates, clock checks. */
  readonly network: readonly string[];
  /** Folder of apt's fetcher. */
  readonly helper: string;
}

const HELPER = "/usr/lib/apt/apt-helper";
const NETWORK_SETTING =
  /^Acquire::(?:(?:http|https|socks5h?)::|Check-Valid-Until|Check-Date|ForceIPv[46]|Retries|Max-FutureTime)/;

/**
 * Reads the host's apt configuration; changes nothing and needs no rights.
 * @throws ToolError `TOOL_MISSING` when this is no Debian or Ubuntu host, naming the program.
 */
export async function readAptHost(options: CallOptions = {}): Promise<AptHost> {
  const [targets, dump] = await Promise.all([
    // Only what is configured is asked for; without lists apt has nothing to parse and answers in milliseconds.
    tool(
      [
        "apt-get",
        "indextargets",
        "--no-release-info",
        "-o",
        "Dir::State::Lists=/nonexistent",
        "-o",
        "Dir::State::Status=/dev/null",
        "--format",
        HOST_TARGET_FORMAT,
      ],
      options,
    ),
    tool(["apt-config", "dump", "--format", '%F "%v";%n'], options),
    tool(["dpkg-deb", "--version"], options),
    tool(["flock", "--version"], options),
    access(HELPER).catch((error: unknown) => {
      throw missing(HELPER, error);
    }),
  ]);
  const network = dump
    .split("\n")
    .filter((line) => NETWORK_SETTING.test(line) && !line.endsWith('"";'));
  return { targets: parseHostTargets(targets), network, helper: HELPER };
}

/** Output of one of the programs that this is made with; a host whose own lists are broken has none to tell. */
async function tool(
  command: readonly [string, ...string[]],
  options: CallOptions,
): Promise<string> {
  try {
    return (await run(command, { ...options, allowFailure: true })).stdout.toString("utf8");
  } catch (error) {
    throw isToolError(error) && error.code === "TOOL_MISSING" ? missing(command[0], error) : error;
  }
}

function missing(program: string, cause: unknown): ToolError {
  return new ToolError("TOOL_MISSING", `make a Debian base: "${program}" is not on this machine`, {
    cause,
    hint: "Debian bases are made with the host's apt: use a Debian or Ubuntu machine, or take a base from a registry",
  });
}
