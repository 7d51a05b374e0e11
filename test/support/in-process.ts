import { createSession, type TrainPackRequest } from "../../src/app/index.ts";
import type { Cli } from "../../src/cli/cli.ts";
import { runCommand } from "../../src/cli/run-command.ts";
import { createEventPrinter } from "../../src/cli/render/events.ts";
import type { Reporter } from "../../src/cli/render/reporter.ts";
import type { PackPlace } from "./pack-place.ts";

/** A place whose commands run in this process, and what they said. */
export interface ScreenPlace extends PackPlace {
  readonly cli: Cli;
  /** Lines of the result. */
  readonly lines: string[];
  readonly warnings: string[];
  readonly results: Readonly<Record<string, unknown>>[];
}

/** Lets commands of a place run in this process. */
export function inProcess(place: PackPlace): ScreenPlace {
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
        environment: place.env,
        cwd: place.root,
        directories: place.folders,
        onEvent: createEventPrinter(reporter),
      }),
      toolVersion: "0.0.0",
    },
    reporter,
    isJson: false,
    readSecret: () => Promise.reject(new Error("no password was promised")),
  };
  return { ...place, cli, lines, warnings, results };
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
