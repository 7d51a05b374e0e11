import { isToolError, ToolError } from "../../ground/errors/index.ts";
import { type CallOptions } from "../../ground/bytes/index.ts";
import { run, type RunResult } from "../../ground/process/index.ts";
import type { PythonContext } from "./contracts.ts";
import { compareVersions } from "./wheel-name.ts";

/** The program that resolves and installs wheels. */
export interface Installer {
  readonly kind: "uv" | "pip";
  /** Runs it with more arguments. @throws ProcessError `PROCESS_FAILED`. */
  call(
    args: readonly string[],
    options: CallOptions & { readonly cwd: string },
  ): Promise<RunResult>;
}

type Environment = PythonContext["environment"];

const CANDIDATES = [
  { kind: "uv", command: ["uv"] },
  { kind: "uv", command: ["python3", "-m", "uv"] },
  { kind: "pip", command: ["python3", "-m", "pip"] },
  { kind: "pip", command: ["pip3"] },
] as const;

/**
 * Copies, since links into the cache would be broken in the image; and into the system's
 * environment, since the image has no other.
 */
const SETTINGS = {
  UV_PYTHON_DOWNLOADS: "never",
  UV_LINK_MODE: undefined,
  PIP_DISABLE_PIP_VERSION_CHECK: "1",
  PIP_NO_INPUT: "1",
  PIP_USER: "0",
  PIP_REQUIRE_VIRTUALENV: "0",
  PYTHONIOENCODING: "utf-8",
  NO_COLOR: "1",
} as const;

/** The first uv that writes `pylock.toml`. */
const OLDEST_UV = [0, 7] as const;

/**
 * Finds `uv`, as a program or as a module of `python3`, else `pip`. Neither may look for updates, ask questions or fetch a Python.
 * @throws ToolError `TOOL_MISSING` when there is neither. A uv older than 0.7 counts as none.
 */
export async function findInstaller(
  environment: Environment,
  options: CallOptions = {},
): Promise<Installer> {
  const installer = await firstThatAnswers(CANDIDATES, environment, options);
  if (installer !== undefined) return installer;
  throw new ToolError("TOOL_MISSING", 'find a Python installer: neither "uv" nor "pip" is here', {
    hint: "install uv (`pip install uv`, or from your distribution), or python3-pip",
  });
}

/** Finds `uv`, as `findInstaller` does. @throws ToolError `TOOL_MISSING` when there is none, or only one older than 0.7. */
export async function findUv(
  environment: Environment,
  options: CallOptions = {},
): Promise<Installer> {
  const candidates = CANDIDATES.filter(({ kind }) => kind === "uv");
  const installer = await firstThatAnswers(candidates, environment, options);
  if (installer !== undefined) return installer;
  throw new ToolError("TOOL_MISSING", 'make a Python environment: "uv" is not here', {
    hint: "install uv 0.7 or newer (`pip install uv`, or from your distribution)",
  });
}

async function firstThatAnswers(
  candidates: readonly (typeof CANDIDATES)[number][],
  environment: Environment,
  options: CallOptions,
): Promise<Installer | undefined> {
  const env = { ...environment, ...SETTINGS };
  for (const { kind, command } of candidates) {
    const version = await versionOf([...command, "--version"], env, options);
    if (version === undefined || (kind === "uv" && isTooOld(version))) continue;
    return {
      kind,
      call: (args, { cwd, signal }) =>
        run([...command, ...args] as [string, ...string[]], {
          env,
          cwd,
          signal,
          maxOutputBytes: 64 * 2 ** 20,
        }),
    };
  }
  return undefined;
}

async function versionOf(
  command: readonly string[],
  env: Environment,
  options: CallOptions,
): Promise<string | undefined> {
  try {
    const { stdout } = await run(command as [string, ...string[]], {
      env,
      timeoutMs: 30_000,
      signal: options.signal,
    });
    return stdout.toString("utf8");
  } catch (error) {
    if (isToolError(error) && error.code !== "TIMEOUT") return undefined;
    throw error;
  }
}

function isTooOld(text: string): boolean {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(text) ?? [];
  return compareVersions([Number(major ?? 0), Number(minor ?? 0)], OLDEST_UV) < 0;
}
