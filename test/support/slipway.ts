import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { createTempDir } from "../../src/ground/process/index.ts";

export interface CommandResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A user of the tool with a home of its own. */
export interface User {
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs one command line to its end. */
  run(
    args: readonly string[],
    options?: { readonly stdin?: string; readonly env?: Readonly<Record<string, string>> },
  ): Promise<CommandResult>;
  /** Starts one that does not end by itself; it is ended with the test. */
  start(args: readonly string[]): ReturnType<typeof spawn>;
}

const PROGRAM = resolve(import.meta.dirname, "../../bin/slipway.js");

/** A new user; everything of theirs is gone with the test. */
export async function createUser(t: TestContext): Promise<User> {
  const folder = await createTempDir("slipway-user");
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder.path,
    SLIPWAY_FROM_SOURCE: "1",
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? "",
    XDG_DATA_HOME: join(folder.path, "data"),
    XDG_CACHE_HOME: join(folder.path, "cache"),
    XDG_STATE_HOME: join(folder.path, "state"),
  };
  const children = new Set<ReturnType<typeof spawn>>();
  t.after(async () => {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    }
    await folder[Symbol.asyncDispose]();
  });
  const start = (
    args: readonly string[],
    extra: Readonly<Record<string, string>> = {},
  ): ReturnType<typeof spawn> => {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: folder.path,
      env: { ...env, ...extra },
      stdio: ["pipe", "pipe", "pipe"],
    });
    children.add(child);
    return child;
  };
  return {
    home: folder.path,
    env,
    start: (args) => start(args),
    async run(args, options = {}) {
      const child = start(args, options.env);
      child.stdin?.end(options.stdin ?? "");
      const [[exitCode], stdout, stderr] = await Promise.all([
        once(child, "exit") as Promise<[number | null]>,
        textOf(child.stdout),
        textOf(child.stderr),
      ]);
      return { exitCode, stdout, stderr };
    },
  };
}

async function textOf(stream: AsyncIterable<Uint8Array> | null): Promise<string> {
  return Buffer.concat(await Array.fromAsync(stream ?? [])).toString("utf8");
}
