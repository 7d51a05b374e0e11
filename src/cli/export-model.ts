import { stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import type { CallOptions } from "../ground/bytes/index.ts";
import { ProjectError } from "../ground/errors/index.ts";
import { writeFileAtomic } from "../ground/process/index.ts";
import { exportCheckpoint, type ExportOptions } from "../models/export/index.ts";
import {
  chooseCheckpoint,
  findCheckpoints,
  streamRope,
  type FoundCheckpoint,
} from "../models/tensorflow/index.ts";

/** What to export, and where to. */
export interface ExportRequest extends ExportOptions {
  /** Folder that the training wrote, or the prefix of one checkpoint in it, such as `train/model.ckpt-200000`. */
  readonly source: string;
  /** The frozen graph's path. */
  readonly output: string;
  /** The checkpoint of this step; default the newest. */
  readonly step?: bigint | undefined;
}

/** What was written. */
export interface ExportResult {
  /** Prefix of the checkpoint. */
  readonly checkpoint: string;
  readonly output: string;
  /** Bytes of the frozen graph. */
  readonly size: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: number;
  readonly functions: number;
}

/**
 * Freezes a checkpoint into one file. The file appears whole or not at all, and nothing else is written.
 * @throws ToolError `MODEL_NOT_DETECTED`, `MODEL_FILE_INVALID`, `UNSUPPORTED`, `USAGE`, or what writing the file gives.
 */
export async function exportModel(
  request: ExportRequest,
  { signal }: CallOptions = {},
): Promise<ExportResult> {
  const found = await findSource(request);
  using exported = await exportCheckpoint(found, request);
  const output = resolve(request.output);
  await writeFileAtomic(output, streamRope(exported.bytes), signal === undefined ? {} : { signal });
  return {
    checkpoint: found.prefix,
    output,
    size: exported.bytes.size,
    inputs: exported.inputs,
    outputs: exported.outputs,
    nodes: exported.nodeCount,
    functions: exported.functionCount,
  };
}

async function findSource({ source, step }: ExportRequest): Promise<FoundCheckpoint> {
  const path = resolve(source);
  const facts = await stat(path).catch(() => undefined);
  if (facts?.isDirectory() === true) return await chooseCheckpoint(path, { step });
  const prefix = path.replace(/\.(?:index|meta|data-\d{5}-of-\d{5})$/, "");
  const all = await findCheckpoints(dirname(prefix));
  const found = all.find((one) => one.prefix === prefix);
  if (found !== undefined) return found;
  const there = all.map((one) => `"${basename(one.prefix)}"`).join(", ");
  throw new ProjectError(
    "MODEL_NOT_DETECTED",
    `look for checkpoint "${source}": it is not there; its folder has ${there === "" ? "no checkpoint" : there}`,
    { hint: "name a folder that the training wrote, or a checkpoint's prefix in it" },
  );
}
