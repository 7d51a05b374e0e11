import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import type { Context } from "../../src/app/context.ts";
import { createTempDir } from "../../src/ground/process/index.ts";

/** A folder to work in, with directories of its own, and what the command said there. */
export interface TrainPlace {
  readonly cwd: string;
  readonly context: Context;
  /** Lines of the result. */
  readonly lines: string[];
  readonly warnings: string[];
  readonly results: Readonly<Record<string, unknown>>[];
  /** Writes files by their paths below `cwd`. */
  write(files: Readonly<Record<string, string | Uint8Array>>): Promise<void>;
}

/** A place for commands that run in this process; it goes away with the test. */
export async function trainPlace(
  t: TestContext,
  env: Readonly<Record<string, string>> = {},
): Promise<TrainPlace> {
  const folder = await createTempDir("slipway-train");
  t.after(() => folder[Symbol.asyncDispose]());
  const cwd = join(folder.path, "work");
  await mkdir(cwd);
  const [lines, warnings, results]: [string[], string[], Readonly<Record<string, unknown>>[]] = [
    [],
    [],
    [],
  ];
  const context: Context = {
    env: { PATH: process.env["PATH"], HOME: folder.path, ...env },
    cwd,
    directories: {
      data: join(folder.path, "data"),
      cache: join(folder.path, "cache"),
      state: join(folder.path, "state"),
    },
    readSecret: () => Promise.reject(new Error("no password was promised")),
    signal: new AbortController().signal,
    reporter: {
      step: () => undefined,
      blob: () => undefined,
      warn: (text) => void warnings.push(text),
      line: (text) => void lines.push(text),
      result: (data) => void results.push(data),
      close: () => undefined,
    },
    isJson: false,
    isPlainHttp: false,
    toolVersion: "0.0.0",
  };
  return {
    cwd,
    context,
    lines,
    warnings,
    results,
    async write(files) {
      for (const [path, content] of Object.entries(files)) {
        await mkdir(dirname(join(cwd, path)), { recursive: true });
        await writeFile(join(cwd, path), content);
      }
    },
  };
}
