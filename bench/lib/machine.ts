import { execFileSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";

/** What a result must say of the machine it was measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  readonly date: string;
  readonly commit: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** Describes this machine; `programs` maps a name to the command that prints its version. */
export function describeMachine(
  programs: Readonly<Record<string, readonly [string, ...string[]]>>,
): Machine {
  const versions = Object.fromEntries(
    Object.entries(programs).map(([name, command]) => [name, firstLine(command)]),
  );
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
    commit: firstLine(["git", "rev-parse", "--short", "HEAD"]),
    versions,
  };
}

function firstLine([program, ...args]: readonly [string, ...string[]]): string {
  try {
    return (
      execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })
        .trim()
        .split("\n")[0] ?? ""
    );
  } catch {
    return "not installed";
  }
}
