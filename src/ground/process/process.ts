import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { ProcessError, stripControls, ToolError } from "../errors/index.ts";
import type { Bytes, CallOptions } from "../bytes/index.ts";

export interface RunOptions extends CallOptions {
  readonly cwd?: string | undefined;
  /** The child's whole environment; `process.env` when absent. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Variables added to `env`, or to the parent's own; the way to hand over what must not show in a process list. */
  readonly extraEnv?: Readonly<Record<string, string>> | undefined;
  /** Written to standard input, which is then closed. */
  readonly stdin?: string | Uint8Array | Bytes | undefined;
  /** Ends the child after this time. Default: no limit. */
  readonly timeoutMs?: number | undefined;
  /** Bound on captured standard output, in bytes. Default 16 MiB; beyond it the child is ended. */
  readonly maxOutputBytes?: number | undefined;
  /** Told each chunk of standard error as it comes. */
  readonly onStderr?: ((text: string) => void) | undefined;
  /** Told each chunk of standard output as it comes; nothing is captured then. */
  readonly onStdout?: ((chunk: Uint8Array) => void | Promise<void>) | undefined;
  /** Return instead of throwing when the exit code is not 0. Default false. */
  readonly allowFailure?: boolean | undefined;
  /** Arguments to show as `***` in errors, such as a password that a program takes no other way. */
  readonly secrets?: readonly string[] | undefined;
}

export interface RunResult {
  readonly stdout: Buffer;
  /** The last 4 KiB. */
  readonly stderrTail: string;
  readonly exitCode: number;
}

const KILL_AFTER_MS = 5000;
const STDERR_TAIL_BYTES = 4096;

/**
 * Runs a program to its end: argument array, no shell, own process group, both outputs always drained.
 * An abort or time-out sends SIGTERM to the group and SIGKILL after 5 s.
 * @throws ToolError `TOOL_MISSING` when the program does not exist; ProcessError `PROCESS_FAILED` or `TIMEOUT`.
 */
export async function run(
  command: readonly [string, ...string[]],
  options: RunOptions = {},
): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const child = start(command, options);
  const state = { timedOut: false, overflow: false };
  const stop = createStopper(child);
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => ((state.timedOut = true), stop()), options.timeoutMs);
  options.signal?.addEventListener("abort", stop, { once: true });
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  try {
    const [stdout, stderrTail] = await Promise.all([
      collectStdout(child, options, () => ((state.overflow = true), stop())),
      collectStderr(child, options),
      feed(child, options.stdin),
      closed,
    ]);
    const [exitCode, signal] = await closed;
    options.signal?.throwIfAborted();
    if (exitCode === 0 || (options.allowFailure === true && exitCode !== null && !state.timedOut))
      return { stdout, stderrTail, exitCode };
    throw failure(command, { exitCode, signal, stderrTail, ...state }, options);
  } catch (error) {
    throw explainSpawnError(error, command[0]);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", stop);
  }
}

function explainSpawnError(error: unknown, program: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code !== "ENOENT" || syscall?.startsWith("spawn") !== true) return error;
  return new ToolError("TOOL_MISSING", `run "${program}": the program is not installed`, {
    cause: error,
  });
}

function start(command: readonly [string, ...string[]], options: RunOptions): ChildProcess {
  const [program, ...args] = command;
  return spawn(program, args, {
    cwd: options.cwd,
    env: { ...(options.env ?? process.env), ...options.extraEnv } as NodeJS.ProcessEnv,
    stdio: [options.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    detached: true,
  });
}

/** Ends a child and its process group: SIGTERM now, SIGKILL after 5 s. Safe to call more than once. */
function createStopper(child: ChildProcess): () => void {
  let stopped = false;
  return () => {
    if (stopped) return;
    stopped = true;
    signalGroup(child, "SIGTERM");
    const timer = setTimeout(() => signalGroup(child, "SIGKILL"), KILL_AFTER_MS);
    timer.unref();
    child.once("close", () => clearTimeout(timer));
  };
}

/** Signals a child's process group, or the child alone where it leads none. A child that is gone is no error. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It leads no group, or has none any more.
    child.kill(signal);
  }
}

async function collectStdout(
  child: ChildProcess,
  options: RunOptions,
  onOverflow: () => void,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    if (options.onStdout !== undefined) await options.onStdout(chunk);
    else if ((total += chunk.byteLength) > (options.maxOutputBytes ?? 16 * 2 ** 20)) onOverflow();
    else chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function collectStderr(child: ChildProcess, options: RunOptions): Promise<string> {
  let tail = Buffer.alloc(0);
  for await (const chunk of child.stderr as AsyncIterable<Buffer>) {
    options.onStderr?.(chunk.toString("utf8"));
    tail = Buffer.concat([tail, chunk]).subarray(-STDERR_TAIL_BYTES);
  }
  return tail.toString("utf8");
}

async function feed(child: ChildProcess, stdin: RunOptions["stdin"]): Promise<void> {
  if (stdin === undefined || child.stdin === null) return;
  const pipe = child.stdin;
  pipe.on("error", () => undefined); // the child closed its end first; its exit code tells the story
  if (typeof stdin === "string" || stdin instanceof Uint8Array) pipe.end(stdin);
  else {
    for await (const chunk of stdin) {
      if (pipe.destroyed) return;
      if (!pipe.write(chunk)) await drained(pipe);
    }
    pipe.end();
  }
}

/** Waits until a pipe takes more or is closed, and leaves no listener behind. */
async function drained(pipe: Writable): Promise<void> {
  const settled = new AbortController();
  try {
    await Promise.race(
      ["drain", "close"].map((event) => once(pipe, event, { signal: settled.signal })),
    );
  } finally {
    settled.abort();
  }
}

interface Ending {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderrTail: string;
  readonly timedOut: boolean;
  readonly overflow: boolean;
}

function failure(command: readonly string[], ending: Ending, options: RunOptions): ProcessError {
  const hidden = new Set(options.secrets);
  const shown = command.map((part) => (hidden.has(part) ? "***" : part));
  const stderrTail = [...hidden].reduce(
    (text, secret) => (secret === "" ? text : text.replaceAll(secret, "***")),
    ending.stderrTail,
  );
  const why = ending.timedOut
    ? `no end after ${options.timeoutMs} ms`
    : ending.overflow
      ? "too much output"
      : ending.signal === null
        ? `exit code ${ending.exitCode}`
        : `ended by ${ending.signal}`;
  const lastLine = stripControls(stderrTail.trimEnd().split("\n").at(-1) ?? "").trim();
  return new ProcessError(
    ending.timedOut ? "TIMEOUT" : "PROCESS_FAILED",
    `run "${shown[0]}": ${why}${lastLine === "" ? "" : `: ${lastLine}`}`,
    {
      command: shown,
      exitCode: ending.exitCode ?? undefined,
      signal: ending.signal ?? undefined,
      timedOut: ending.timedOut,
      stderrTail,
    },
  );
}
