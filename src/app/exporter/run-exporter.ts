import { factsOf, isToolError, ToolError } from "../../ground/errors/index.ts";
import { exportCheckpoint } from "../export.ts";
import { EXPORTER_COMMAND } from "../export-commands.ts";
import { formatBytes } from "../format.ts";
import type { Flag } from "../options/option.ts";

/** Where the exporter of an image gets its world from. */
export interface ExporterWorld {
  /** Without program names. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly print: (text: string) => void;
  /** Ends the export; nothing half-written stays behind. */
  readonly signal: AbortSignal;
}

/** Exit code of a program that a signal ended. */
const ENDED = 143;

/**
 * The program of export images: takes the flags of the Object Detection API's exporter, and the job's own, as
 * `slipway export …/export_inference_graph.py` does. Resolves to the exit code.
 */
export async function runExporter({ argv, cwd, print, signal }: ExporterWorld): Promise<number> {
  try {
    const { flags, read } = EXPORTER_COMMAND.options.job;
    const given = writtenFlags(argv, flags);
    const job = read(flags.map(given), { cwd, environment: {} });
    const { source, output, savedModel, size, nodes, inputs, outputs } = await exportCheckpoint(
      job,
      { signal },
    );
    print(`${output}  ${formatBytes(size)}, ${nodes} nodes, from ${source}\n`);
    print(`  inputs   ${inputs.join(", ")}\n  outputs  ${outputs.join(", ")}\n`);
    if (savedModel !== undefined) print(`  as well  ${savedModel}\n`);
    return 0;
  } catch (error) {
    if (signal.aborted) return ENDED;
    if (!isToolError(error)) throw error;
    print(`error ${error.code}: ${error.message}\n`);
    if (error.hint !== undefined) print(`  hint: ${error.hint}\n`);
    return factsOf(error).exit;
  }
}

function valueBehind(argv: readonly string[], at: number): string | undefined {
  const next = argv[at + 1];
  return next?.startsWith("--") === true ? undefined : next;
}

/** What was written for each flag: `--name value` or `--name=value`; else its default. @throws ToolError `USAGE` for others. */
function writtenFlags(
  argv: readonly string[],
  flags: readonly Flag[],
): (flag: Flag) => readonly string[] {
  const written = new Map<Flag, string>();
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    const [, name = "", value] = /^(--\w+)(?:=(.*))?$/s.exec(word) ?? [];
    const flag = flags.find(({ form }) => name !== "" && form.split(" ")[0] === name);
    if (flag === undefined) throw new ToolError("USAGE", `export: there is no flag "${word}"`);
    const text = value ?? valueBehind(argv, at);
    if (value === undefined && text !== undefined) at += 1;
    if (text === undefined && flag.form.includes("<"))
      throw new ToolError("USAGE", `export: ${name} has no value`);
    written.set(flag, text ?? "");
  }
  return (flag) => {
    const text = written.get(flag) ?? flag.byDefault;
    return text === undefined ? [] : [String(text)];
  };
}
