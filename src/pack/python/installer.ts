import { isToolError, ToolError } from "../../errors/index.ts";
import { run, type CallOptions, type RunResult } from "../../internal/index.ts";
import type { PythonContext } from "./contracts.ts";

/** The program that resolves and installs wheels. */
export interface Installer {
  readonly kind: "uv" | "pip";
  /** Runs it with more arguments. @throws ProcessError `PROCESS_FAILED`. */
  call(args: readonly string[], options: CallOptions & { readonly cwd: string }): Promise<RunResult>;
}

type Environment = PythonContext["environment"];

const CANDIDATES = [
  { kind: "uv", command: ["uv"] },
  { kind: "uv", command: ["python3", "-m", "uv"] },
  { kind: "pip", command: ["python3", "-m", "pip"] },
  { kind: "pip", command: ["pip3"] },
] as const;

/**
 * Finds `uv`, as a program or as a module of `python3`, else `pip`. Neither may look for updates, ask questions or fetch a Python.
 * @throws ToolError `TOOL_MISSING` when there is neither.
 */
export async function findInstaller(environment: Environment, options: CallOptions = {}): Promise<Installer> {
  const env = { ...environment, UV_PYTHON_DOWNLOADS: "never", PIP_DISABLE_PIP_VERSION_CHECK: "1", PIP_NO_INPUT: "1", PYTHONIOENCODING: "utf-8", NO_COLOR: "1" };
  for (const { kind, command } of CANDIDATES) {
    if (!(await answers([...command, "--version"], env, options))) continue;
    return {
      kind,
      call: (args, { cwd, signal }) => run([...command, ...args] as [string, ...string[]], { env, cwd, signal, maxOutputBytes: 64 * 2 ** 20 }),
    };
  }
  throw new ToolError("TOOL_MISSING", 'find a Python installer: neither "uv" nor "pip" is here', {
    hint: "install uv (`pip install uv`, or from your distribution), or python3-pip",
  });
}

async function answers(command: readonly string[], env: Environment, options: CallOptions): Promise<boolean> {
  try {
    await run(command as [string, ...string[]], { env, timeoutMs: 30_000, signal: options.signal });
    return true;
  } catch (error) {
    if (isToolError(error) && error.code !== "TIMEOUT") return false;
    throw error;
  }
}
