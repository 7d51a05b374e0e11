import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ProjectError, ToolError } from "../../ground/errors/index.ts";
import { run } from "../../ground/process/index.ts";
import type { ModelKind } from "../../models/description/index.ts";
import type { DetectedModel } from "../../models/kinds/index.ts";
import { findToolFiles } from "../pack/tool-files.ts";
import type { Surroundings } from "../session.ts";
import type { ConvertRequest } from "./convert-model.ts";
import type { Difference } from "../shown/index.ts";

/** A conversion that has an interpreter and a place. */
interface Conversion extends Pick<
  ConvertRequest,
  "source" | "inputs" | "shapes" | "signature" | "outputs" | "allowPickle"
> {
  readonly kind: ModelKind;
  /** Absolute path of the model. */
  readonly path: string;
  readonly detected: DetectedModel;
  /** Empty folder for what is made. */
  readonly folder: string;
  readonly python: string;
}

/** What a converter made. */
interface Conversed {
  /** Absolute path of the ONNX file. */
  readonly file: string;
  readonly opset: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly differences: readonly Difference[];
}

const TIMEOUT_MS = 3_600_000;
const MAX_OUTPUT_BYTES = 16 * 2 ** 20;
/** Any number does; the same one gives the same random inputs. */
const SEED = 20;

/** Converts in a process of its own. @throws ToolError `PICKLE_REFUSED`, `USAGE`, `UNSUPPORTED`, `PROCESS_FAILED`, `TIMEOUT`. */
export async function runConverter(
  conversion: Conversion,
  { environment, signal, cwd, opset }: Surroundings & { readonly opset: number },
): Promise<Conversed> {
  const { folder, python, source } = conversion;
  const file = join(folder, "model.onnx");
  const [job, report] = [join(folder, "job.json"), join(folder, "report.json")];
  await writeFile(job, JSON.stringify(jobOf(conversion, { file, report, opset, cwd })));
  const program = join(findToolFiles().workerFolder, "slipway_convert", "__main__.py");
  await run([python, program, job], {
    env: environment,
    ...{ signal, cwd, timeoutMs: TIMEOUT_MS, maxOutputBytes: MAX_OUTPUT_BYTES },
  });
  // Our own program writes it.
  const found = JSON.parse(await readFile(report, "utf8")) as Omit<Conversed, "file"> & Failure;
  if (found.failed !== undefined) throw failureOf(source, found);
  return { ...found, file };
}

interface ConverterFiles {
  readonly file: string;
  readonly report: string;
  readonly opset: number;
  readonly cwd: string;
}

/** What `python/slipway_convert/job.py` reads. */
function jobOf(
  { kind, path, detected, inputs = [], shapes = {}, ...words }: Conversion,
  { file, report, opset, cwd }: ConverterFiles,
): object {
  const { signature, outputs, allowPickle = [] } = words;
  return {
    ...{ kind, path, output: file, report, opset, shapes, seed: SEED },
    inputs: (detected.signature?.inputs ?? []).map(({ name, datatype, shape }) => ({
      ...{ name, datatype, shape },
    })),
    parameters: {
      ...(signature !== undefined && { signature }),
      ...(outputs !== undefined && { outputs }),
    },
    allow_pickle: allowPickle,
    given: inputs.map((name) => resolve(cwd, name)),
  };
}

interface Failure {
  readonly failed?: "pickle" | "samples" | "convert";
  readonly why?: string;
}

function failureOf(source: string, { failed, why = "" }: Failure): ToolError {
  if (failed === "pickle")
    return new ProjectError("PICKLE_REFUSED", `convert "${source}": ${why}`, { file: source });
  if (failed === "samples")
    return new ToolError("USAGE", `convert "${source}": ${why}`, {
      hint: 'give inputs: --inputs FILE, with {"inputs": {"NAME": [[…]]}}',
    });
  return new ToolError("UNSUPPORTED", `convert "${source}": ${why}`, {
    hint: "serve it as it is, or say more of it: --signature, --outputs, --shape, --inputs, --opset",
  });
}
