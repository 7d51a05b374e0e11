import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { createSession, type TrainPackRequest } from "../../src/app/index.ts";
import type { Cli } from "../../src/cli/cli.ts";
import { runCommand } from "../../src/cli/run-command.ts";
import { createEventPrinter } from "../../src/cli/render/events.ts";
import type { Reporter } from "../../src/cli/render/reporter.ts";
import { createTempDir } from "../../src/ground/process/index.ts";

/** A folder to work in, with directories of its own, and what the command said there. */
export interface TrainPlace {
  readonly cwd: string;
  readonly cli: Cli;
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
  const reporter: Reporter = {
    step: () => undefined,
    blob: () => undefined,
    warn: (text) => void warnings.push(text),
    line: (text) => void lines.push(text),
    result: (data) => void results.push(data),
    close: () => undefined,
  };
  const cli: Cli = {
    session: {
      ...createSession({
        environment: { PATH: process.env["PATH"], HOME: folder.path, ...env },
        cwd,
        directories: {
          data: join(folder.path, "data"),
          cache: join(folder.path, "cache"),
          state: join(folder.path, "state"),
        },
        onEvent: createEventPrinter(reporter),
      }),
      toolVersion: "0.0.0",
    },
    reporter,
    isJson: false,
    readSecret: () => Promise.reject(new Error("no password was promised")),
  };
  return {
    cwd,
    cli,
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

/** Options of a command line: `dryRun: true` is `--dry-run`, `push: false` is `--no-push`, a list comes again and again. */
export type TestFlags = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** Runs `slipway train pack --framework FRAMEWORK` in this process. */
export function packTraining(
  framework: TrainPackRequest["framework"],
  flags: TestFlags,
  cli: Cli,
): Promise<void> {
  return runCommand("train", ["pack", "--framework", framework, ...optionsOf(flags)], cli);
}

/** Runs `slipway train run`. @param parameters - what stands after `--`. */
export function runTraining(
  parameters: readonly string[],
  flags: TestFlags,
  cli: Cli,
): Promise<void> {
  return runCommand("train", ["run", ...optionsOf(flags), "--", ...parameters], cli);
}

/** Runs `slipway train manifest`. @param parameters - what stands after `--`. */
export function printTrainManifest(
  parameters: readonly string[],
  flags: TestFlags,
  cli: Cli,
): Promise<void> {
  return runCommand("train", ["manifest", ...optionsOf(flags), "--", ...parameters], cli);
}

function optionsOf(flags: TestFlags): readonly string[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (value === undefined) return [];
    if (typeof value === "boolean") return [value ? `--${flag}` : `--no-${flag}`];
    return [value].flat().map((one) => `--${flag}=${one}`);
  });
}
