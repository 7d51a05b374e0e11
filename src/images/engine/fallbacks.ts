import { readFile } from "node:fs/promises";
import { ProcessError } from "../../ground/errors/index.ts";
import type { EngineKind } from "./contracts.ts";

/** A way to start a container. */
export interface StartAttempt {
  readonly args: readonly string[];
  /** Whether the failure of the attempt before is one that this attempt avoids. */
  readonly isWorthTrying: (failure: unknown) => boolean;
}

const LIMITS = [
  { name: "nofile", label: "Max open files", cap: 65_536 },
  { name: "nproc", label: "Max processes", cap: 16_384 },
] as const;
const RLIMIT = /rlimit|RLIMIT/;
const CRUN = /\bcrun\b/;

/**
 * Ways to start a container, in order. podman asks for more open files and processes than a process without the right
 * to raise limits may have, so this process's own limits are tried next; and crun is refused in some sandboxes where
 * runc works.
 */
export async function fallbacksFor(kind: EngineKind): Promise<readonly StartAttempt[]> {
  const plain: StartAttempt = { args: [], isWorthTrying: () => true };
  if (kind === "docker") return [plain];
  const limits = await ownLimits();
  return [
    plain,
    { args: limits, isWorthTrying: (failure) => limits.length > 0 && says(failure, RLIMIT) },
    { args: ["--runtime", "runc", ...limits], isWorthTrying: (failure) => says(failure, CRUN) },
  ];
}

function says(failure: unknown, pattern: RegExp): boolean {
  return failure instanceof ProcessError && pattern.test(failure.stderrTail);
}

/** `--ulimit` arguments that ask for no more than this process has. What podman passes on may be less, hence the caps. */
async function ownLimits(): Promise<readonly string[]> {
  const text = await readFile("/proc/self/limits", "utf8").catch(() => ""); // no Linux, or a sandbox without /proc
  return LIMITS.flatMap(({ name, label, cap }) => {
    const hard = Number(new RegExp(`^${label} +\\S+ +(\\d+)`, "m").exec(text)?.[1]);
    if (!Number.isInteger(hard)) return [];
    const value = Math.min(hard, cap);
    return ["--ulimit", `${name}=${value}:${value}`];
  });
}
