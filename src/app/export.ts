import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { CallOptions } from "../ground/bytes/index.ts";
import { ProjectError } from "../ground/errors/index.ts";
import { noFile, writeFileAtomic } from "../ground/process/index.ts";
import {
  exportGraph,
  openSavedModel,
  openTrainingGraph,
  signatureOutputs,
  type ExportOptions,
  type GraphSource,
} from "../models/export/index.ts";
import {
  chooseCheckpoint,
  findCheckpoints,
  streamRope,
  type FoundCheckpoint,
  type Rope,
} from "../models/tensorflow/index.ts";

/** Where a frozen graph goes. */
export interface ExportTarget {
  /** The frozen graph's path. */
  readonly output: string;
  /** Folder for the same graph as a SavedModel; default none. */
  readonly savedModel?: string | undefined;
}

/** A checkpoint to export. */
export interface CheckpointExport extends ExportOptions, ExportTarget {
  /** Folder that the training wrote, or the prefix of one checkpoint in it, such as `train/model.ckpt-200000`. */
  readonly source: string;
  /** The checkpoint of this step; default the newest. */
  readonly step?: bigint | undefined;
  /** The Object Detection API's `pipeline.config`; default the one beside the checkpoint. */
  readonly pipelineConfig?: string | undefined;
  /** Where a copy of it goes; default nowhere. */
  readonly pipelineCopy?: string | undefined;
}

/** A SavedModel to export. */
export interface SavedModelExport extends ExportOptions, ExportTarget {
  /** Folder with `saved_model.pb`. */
  readonly source: string;
  /** Tags of the graph; default `serve`. */
  readonly tags?: readonly string[] | undefined;
  /** Signature whose outputs are wanted; default `serving_default`. */
  readonly signature?: string | undefined;
}

/** What was written. */
export interface ExportResult {
  /** Prefix of the checkpoint, or folder of the SavedModel. */
  readonly source: string;
  readonly output: string;
  readonly savedModel: string | undefined;
  /** Bytes of the frozen graph. */
  readonly size: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: number;
  readonly functions: number;
}

/**
 * Freezes a checkpoint and the graph beside it into one file. The file appears whole or not at all, and nothing else is written.
 * @throws ToolError `MODEL_NOT_DETECTED`, `MODEL_FILE_INVALID`, `UNSUPPORTED`, `USAGE`, or what writing the file gives.
 */
export async function exportCheckpoint(
  request: CheckpointExport,
  options: CallOptions = {},
): Promise<ExportResult> {
  const found = await findSource(request);
  using source = await openTrainingGraph(found, request.pipelineConfig);
  const result = await writeExport({ name: found.prefix, source, request }, options);
  const { pipelineConfig, pipelineCopy } = request;
  if (pipelineConfig !== undefined && pipelineCopy !== undefined)
    await writeFileAtomic(pipelineCopy, await readFile(pipelineConfig), options);
  return result;
}

/** Freezes a SavedModel into one file, as `exportCheckpoint` does it with a checkpoint. @throws ToolError the same */
export async function exportSavedModel(
  request: SavedModelExport,
  options: CallOptions = {},
): Promise<ExportResult> {
  const folder = resolve(request.source);
  using source = await openSavedModel(folder, request.tags);
  const outputs =
    request.outputs ??
    (request.signature === undefined
      ? undefined
      : signatureOutputs(source.meta, request.signature));
  return await writeExport({ name: folder, source, request: { ...request, outputs } }, options);
}

interface OpenExport {
  readonly name: string;
  readonly source: GraphSource;
  readonly request: ExportOptions & ExportTarget;
}

async function writeExport(
  { name, source, request }: OpenExport,
  options: CallOptions,
): Promise<ExportResult> {
  const exported = exportGraph(source, request);
  const output = resolve(request.output);
  const savedModel = request.savedModel === undefined ? undefined : resolve(request.savedModel);
  // Both are known to be possible before the first is written.
  const files: (readonly [path: string, content: Rope])[] = [[output, exported.bytes]];
  if (savedModel !== undefined)
    files.push([join(savedModel, "saved_model.pb"), exported.savedModel()]);
  for (const [path, content] of files) await writeFileAtomic(path, streamRope(content), options);
  return {
    source: name,
    output,
    savedModel,
    size: exported.bytes.size,
    inputs: exported.inputs,
    outputs: exported.outputs,
    nodes: exported.nodeCount,
    functions: exported.functionCount,
  };
}

async function findSource({ source, step }: CheckpointExport): Promise<FoundCheckpoint> {
  const path = resolve(source);
  const facts = await stat(path).catch(noFile);
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
