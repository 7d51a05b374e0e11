import { ToolError } from "../../ground/errors/index.ts";
import { run, type RunResult } from "../../ground/process/index.ts";
import type { Surroundings } from "../session.ts";

/** Which cluster kubectl speaks to, and where in it. */
export interface ClusterPlace {
  /** kubectl's context. Default: the current one. */
  readonly cluster?: string | undefined;
  readonly namespace?: string | undefined;
}

/** What one call of kubectl is given beside its arguments. */
export interface KubectlCall {
  readonly place: ClusterPlace;
  readonly stdin?: string | undefined;
  /** Exit codes that are answers. Default: 0 alone. */
  readonly answers?: readonly number[] | undefined;
  /** Told each chunk of standard output as it comes; the result has none then. */
  readonly onOutput?: ((text: string) => void) | undefined;
}

/**
 * Runs kubectl to its end. Credentials are its own.
 * @throws ToolError `TOOL_MISSING`; ProcessError `PROCESS_FAILED` with what it said.
 */
export async function kubectl(
  args: readonly string[],
  { place: { cluster, namespace }, stdin, answers = [0], onOutput }: KubectlCall,
  { environment, signal }: Surroundings,
): Promise<RunResult> {
  const decoder = new TextDecoder();
  const result = await run(
    [
      "kubectl",
      ...(cluster === undefined ? [] : ["--context", cluster]),
      ...(namespace === undefined ? [] : ["--namespace", namespace]),
      ...args,
    ],
    {
      stdin: stdin ?? "",
      env: environment,
      signal,
      allowFailure: true,
      ...(onOutput === undefined
        ? {}
        : { onStdout: (chunk) => onOutput(decoder.decode(chunk, { stream: true })) }),
    },
  );
  if (answers.includes(result.exitCode)) return result;
  throw new ToolError(
    "PROCESS_FAILED",
    `kubectl ${args.slice(0, 2).join(" ")}: ${result.stderrTail.trim() || `it ended with ${result.exitCode}`}`,
  );
}

/** Hands objects to the cluster. @returns what kubectl says of each. */
export async function applyObjects(
  yaml: string,
  place: ClusterPlace,
  session: Surroundings,
): Promise<readonly string[]> {
  const { stdout } = await kubectl(["apply", "-f", "-"], { place, stdin: yaml }, session);
  return linesIn(stdout);
}

/** How the cluster's objects would change; empty when they would not. */
export async function compareObjects(
  yaml: string,
  place: ClusterPlace,
  session: Surroundings,
): Promise<readonly string[]> {
  const { stdout } = await kubectl(
    ["diff", "-f", "-"],
    { place, stdin: yaml, answers: [0, 1] },
    session,
  );
  return linesIn(stdout);
}

function linesIn(output: Buffer): readonly string[] {
  const text = output.toString("utf8").trimEnd();
  return text === "" ? [] : text.split("\n");
}
