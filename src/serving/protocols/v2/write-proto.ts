import { WireWriter, writeMessage } from "../../../ground/wire/index.ts";
import type { Datatype, TensorSpec } from "../../../models/tensor/index.ts";
import type { NamedTensor, Parameters, ParameterValue } from "../../plane/index.ts";
import {
  STATISTICS,
  type IndexEntry,
  type ModelMetadata,
  type ModelStatisticsEntry,
  type StatisticDuration,
} from "./documents.ts";
import { isRawOnly, writeContents } from "./proto-contents.ts";
import type { InferAnswer } from "./write-infer-json.ts";

/** `{bool live = 1}` and its like. */
export function writeTruth(value: boolean): Buffer {
  return writeMessage((writer) => (value ? writer.int(8, 1) : undefined), 8);
}

export function writeServerMetadata(
  name: string,
  version: string,
  extensions: readonly string[],
): Buffer {
  return writeMessage((writer) => {
    for (const extension of extensions.toReversed()) writer.string(26, extension);
    writer.string(18, version);
    writer.string(10, name);
  });
}

export function writeModelMetadata({
  name,
  versions,
  platform,
  inputs,
  outputs,
}: ModelMetadata): Buffer {
  return writeMessage((writer) => {
    for (const spec of outputs.toReversed()) writer.embed(42, () => writeHead(writer, spec));
    for (const spec of inputs.toReversed()) writer.embed(34, () => writeHead(writer, spec));
    writer.string(26, platform);
    for (const version of versions.toReversed()) writer.string(18, version);
    writer.string(10, name);
  });
}

function writeHead(writer: WireWriter, { name, datatype, shape }: TensorSpec): void {
  writePacked(writer, 26, shape);
  writer.string(18, datatype);
  writer.string(10, name);
}

function writePacked(writer: WireWriter, tag: number, values: readonly number[]): void {
  writer.embed(tag, () => {
    for (const value of values.toReversed()) writer.varint(value);
  });
}

const CONFIG_TYPES: Readonly<Record<Datatype, number>> = {
  ...{ BOOL: 1, UINT8: 2, UINT16: 3, UINT32: 4, UINT64: 5, INT8: 6, INT16: 7, INT32: 8 },
  ...{ INT64: 9, FP16: 10, FP32: 11, FP64: 12, BYTES: 13, BF16: 14 },
};

/** `ModelConfigResponse`. @see model_config.proto */
export function writeModelConfig({ name, platform, inputs, outputs }: ModelMetadata): Buffer {
  return writeMessage((writer) => {
    writer.embed(10, () => {
      const tensors = (tag: number, dims: number, specs: readonly TensorSpec[]): void => {
        for (const spec of specs.toReversed())
          writer.embed(tag, () => {
            writePacked(writer, dims, spec.shape);
            writer.int(16, CONFIG_TYPES[spec.datatype]);
            writer.string(10, spec.name);
          });
      };
      tensors(50, 26, outputs);
      tensors(42, 34, inputs);
      writer.string(18, platform);
      writer.string(10, name);
    });
  });
}

/** `ModelInferResponse`: outputs as raw contents, or typed where all of them can be. */
export function writeInferProto(answer: InferAnswer, isRaw: boolean): Buffer {
  const { outputs } = answer;
  const size = outputs.reduce((sum, { tensor }) => sum + tensor.data.byteLength + 128, 256);
  return writeMessage((writer) => writeResponse(writer, answer, isRaw), size);
}

function writeResponse(writer: WireWriter, answer: InferAnswer, isRaw: boolean): void {
  const { model, version, id, parameters = {}, outputs } = answer;
  const isAllRaw = isRaw || outputs.some(({ tensor }) => isRawOnly(tensor.datatype));
  if (isAllRaw) for (const { tensor } of outputs.toReversed()) writer.bytes(50, tensor.data);
  for (const { tensor } of outputs.toReversed())
    writer.embed(42, () => writeTensor(writer, tensor, isAllRaw));
  writeParameters(writer, 34, parameters);
  if (id !== undefined) writer.string(26, id);
  writer.string(18, version);
  writer.string(10, model);
}

function writeTensor(writer: WireWriter, tensor: NamedTensor, isRaw: boolean): void {
  if (!isRaw) writeContents(writer, 42, tensor);
  writeParameters(writer, 34, tensor.parameters ?? {});
  writeHead(writer, tensor);
}

function writeParameters(writer: WireWriter, tag: number, parameters: Parameters): void {
  for (const [key, value] of Object.entries(parameters).toReversed())
    writer.embed(tag, () => {
      writer.embed(18, () => writeChoice(writer, value));
      writer.string(10, key);
    });
}

function writeChoice(writer: WireWriter, value: ParameterValue): void {
  if (typeof value === "boolean") writer.int(8, value ? 1 : 0);
  else if (typeof value === "string") writer.string(26, value);
  else if (Number.isSafeInteger(value)) writer.int(16, value);
  else writer.double(33, value);
}

/** `ModelStreamInferResponse` with an answer, or with what went wrong. */
export function writeStreamAnswer(
  answer: InferAnswer | { readonly error: string; readonly id: string | undefined },
  isRaw: boolean,
): Buffer {
  return writeMessage((writer) => {
    if ("error" in answer) {
      const { error, id } = answer;
      if (id !== undefined) writer.embed(18, () => writer.string(26, id));
      writer.string(10, error);
    } else writer.embed(18, () => writeResponse(writer, answer, isRaw));
  });
}

export function writeRepositoryIndex(entries: readonly IndexEntry[]): Buffer {
  return writeMessage((writer) => {
    for (const { name, version, state, reason } of entries.toReversed())
      writer.embed(10, () => {
        writer.string(34, reason);
        writer.string(26, state);
        writer.string(18, version);
        writer.string(10, name);
      });
  });
}

export function writeStatistics(entries: readonly ModelStatisticsEntry[]): Buffer {
  return writeMessage((writer) => {
    for (const entry of entries.toReversed()) writer.embed(10, () => writeEntry(writer, entry));
  });
}

function writeEntry(writer: WireWriter, entry: ModelStatisticsEntry): void {
  for (const batch of entry.batch_stats.toReversed())
    writer.embed(58, () => {
      writeDuration(writer, 34, batch.compute_output);
      writeDuration(writer, 26, batch.compute_infer);
      writeDuration(writer, 18, batch.compute_input);
      writer.int(8, batch.batch_size);
    });
  writer.embed(50, () => {
    for (const [at, name] of [...STATISTICS.entries()].toReversed())
      writeDuration(writer, ((at + 1) << 3) | 2, entry.inference_stats[name]);
  });
  writer.int(40, entry.execution_count);
  writer.int(32, entry.inference_count);
  writer.int(24, entry.last_inference);
  writer.string(18, entry.version);
  writer.string(10, entry.name);
}

function writeDuration(writer: WireWriter, tag: number, { count, ns }: StatisticDuration): void {
  writer.embed(tag, () => {
    writer.int(16, ns);
    writer.int(8, count);
  });
}
