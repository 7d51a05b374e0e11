import { rename, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import { createTempDir } from "../../ground/process/index.ts";
import type { ModelKind } from "../../models/description/index.ts";
import { kindRow, type DetectedModel } from "../../models/kinds/index.ts";
import { describePath } from "../describe/describe-path.ts";
import type { Places, Surroundings } from "../session.ts";
import type { Difference } from "../shown/index.ts";
import { converterOf, convertibleKinds, type Converter } from "./converters.ts";
import { environmentFor } from "./converter-environment.ts";
import { assertAlike } from "./differences.ts";
import { runConverter } from "./run-converter.ts";

/** A model that shall become ONNX. */
export interface ConvertRequest {
  /** File or folder of the model. */
  readonly source: string;
  /** Where the ONNX file goes. */
  readonly output: string;
  /** Newest operator set that it may use; a converter may take an older one. Default 17. */
  readonly opset?: number | undefined;
  /** JSON files with inputs, as V2 requests; both models are asked with them beside random ones. */
  readonly inputs?: readonly string[] | undefined;
  /** Shapes by the names of inputs, for those whose axes are not all known. */
  readonly shapes?: Readonly<Record<string, readonly number[]>> | undefined;
  /** Largest difference of a number that passes, for numbers beyond 1 by their size. Default 1e-4. */
  readonly tolerance?: number | undefined;
  /** Signature of a SavedModel. */
  readonly signature?: string | undefined;
  /** Tensors of a graph that are its outputs, with commas. */
  readonly outputs?: string | undefined;
  /** Interpreter, by path or name, or a version such as `3.11`. Default: `python3`. */
  readonly python?: string | undefined;
  /** True to use that interpreter with what it has. Default false: an environment is made. */
  readonly isInstalled?: boolean | undefined;
  readonly allowPickle?: readonly string[] | undefined;
  readonly indexUrl?: string | undefined;
  readonly findLinks?: readonly string[] | undefined;
}

/** What was made, and how its answers compare. */
export interface ConvertResult {
  readonly source: string;
  readonly kind: ModelKind;
  readonly converter: string;
  /** Absolute. */
  readonly output: string;
  /** Bytes. */
  readonly size: number;
  readonly opset: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly tolerance: number;
  readonly differences: readonly Difference[];
}

/** A conversion without the place of its file. */
export type Conversion = Omit<ConvertResult, "output">;

/** What converting needs from outside: folders of its own beside a place to stand. */
export type ConverterSession = Surroundings & Pick<Places, "directories">;

const TOLERANCE = 1e-4;
const OPSET = 17;

/**
 * Makes an ONNX file of a model, in an environment that has its framework and a converter, and asks both the same questions. The file
 * is put in its place only when the answers are alike.
 * @throws ToolError `MODEL_NOT_DETECTED`, `MODEL_FILE_INVALID`, `PICKLE_REFUSED`; `UNSUPPORTED` where no converter takes the model;
 *   `USAGE` where there is nothing to compare on; `CONVERSION_DIFFERS`; what making an environment throws.
 */
export async function convertModel(
  request: ConvertRequest,
  session: ConverterSession,
): Promise<ConvertResult> {
  const { detected } = await describePath(request.source, session, request.allowPickle);
  const location = resolve(session.cwd, request.source);
  const isFolder = (await stat(location)).isDirectory();
  return convertDetected(
    request,
    { detected, root: isFolder ? location : dirname(location) },
    session,
  );
}

/** A model that was detected, and its folder. */
interface LocatedModel {
  readonly detected: DetectedModel;
  /** Absolute. */
  readonly root: string;
}

/** The same for a model that was detected already. @throws ToolError what `convertModel` throws, but for what detecting throws. */
export async function convertDetected(
  request: ConvertRequest,
  { detected, root }: LocatedModel,
  session: ConverterSession,
): Promise<ConvertResult> {
  const { source, tolerance = TOLERANCE } = request;
  const converter = converterFor(source, detected);
  const output = resolve(session.cwd, request.output);
  const lines = [...requirementsOf(detected), ...converter.requirements];
  const python = await environmentFor({ ...request, root, lines }, session);
  await using draft = await createTempDir(`.${basename(output)}`, dirname(output));
  session.emit({ kind: "step", text: `converting ${source} with ${converter.name}` });
  const { kind, modelPath = "" } = detected.chosen;
  const made = await runConverter(
    { ...request, kind, path: join(root, modelPath), detected, folder: draft.path, python },
    { ...session, opset: request.opset ?? OPSET },
  );
  assertAlike(source, made.differences, tolerance);
  await rename(made.file, output);
  const { size } = await stat(output);
  const { opset, inputs, outputs, differences } = made;
  return {
    ...{ source, kind, converter: converter.name, output, size },
    ...{ opset, inputs, outputs, tolerance, differences },
  };
}

/** What converts a model. @throws ToolError `UNSUPPORTED` for none; what its obstacle says for a model that is not whole. */
export function converterFor(source: string, { chosen, obstacle }: DetectedModel): Converter {
  const converter = chosen.code === undefined ? converterOf(chosen.kind) : undefined;
  if (converter === undefined)
    throw new ToolError(
      "UNSUPPORTED",
      `convert "${source}": ${chosen.kind === "onnx" ? "it is ONNX already" : `no converter takes ${chosen.label}`}`,
      { hint: `kinds that are converted are ${convertibleKinds().join(", ")}` },
    );
  // TensorFlow Lite is not served as it is, and can be converted.
  if (obstacle !== undefined && chosen.kind !== "tflite")
    throw new ToolError(obstacle.code, `convert "${source}": ${obstacle.why}`, {
      hint: obstacle.hint,
    });
  return converter;
}

/** Packages that load the model. */
export function requirementsOf(detected: DetectedModel): readonly string[] {
  return detected.requirements ?? kindRow(detected.chosen.kind).requirements;
}
