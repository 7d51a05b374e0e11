import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

export interface TimedRun {
  /** Wall time from spawn to exit, ms. */
  readonly ms: number;
  /** Highest resident set of the process itself (its children not counted), MiB; 0 when it was too quick to see. */
  readonly peakMib: number;
  /** Processor time of the program and its children, ms; 0 when it was not asked for. */
  readonly cpuMs: number;
  readonly stdout: string;
}

export interface TimedRunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Measures processor time, by bash's `time`. Default false. */
  readonly measuresCpu?: boolean;
}

/** Runs a command and prints the user and system time of it and its children as the last line of the standard error. */
const TIMED = ["bash", "-c", 'TIMEFORMAT="%U %S"; time "$@"', "bash"] as const;

/** Runs a program to its end and times it as a user would. @throws Error with the last output when it fails. */
export async function timedRun(
  command: readonly [string, ...string[]],
  options: TimedRunOptions = {},
): Promise<TimedRun> {
  const [program, ...args] = options.measuresCpu === true ? [...TIMED, ...command] : command;
  const startedAt = performance.now();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const out: string[] = [];
  const err: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => err.push(text));
  let peakKib = 0;
  const sampler = setInterval(() => (peakKib = Math.max(peakKib, highWater(child.pid))), 20);
  const [code] = (await once(child, "exit")) as [number | null];
  const ms = performance.now() - startedAt;
  clearInterval(sampler);
  await Promise.all([
    child.stdout.closed ? undefined : once(child.stdout, "close"),
    child.stderr.closed ? undefined : once(child.stderr, "close"),
  ]);
  if (code !== 0)
    throw new Error(
      `${command.join(" ")}: exit ${code}\n${err.join("").slice(-2000)}${out.join("").slice(-2000)}`,
    );
  const [, user = "0", system = "0"] = /([\d.]+) ([\d.]+)\s*$/.exec(err.join("")) ?? [];
  const cpuMs = options.measuresCpu === true ? (Number(user) + Number(system)) * 1000 : 0;
  return { ms, peakMib: peakKib / 1024, cpuMs, stdout: out.join("") };
}

function highWater(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0; // the process is gone
  }
}
