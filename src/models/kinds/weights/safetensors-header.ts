import { openReader } from "../../../ground/bytes/index.ts";
import type { ModelFile, StatedTensor } from "../contracts.ts";
import { isJsonObject, objectIn, parseJsonObject, type JsonObject } from "../files/json-file.ts";
import { invalidModel, refuseImpostor } from "../files/model-file.ts";

/** What the header of a safetensors file says. */
export interface SafetensorsHeader {
  readonly tensors: readonly StatedTensor[];
  /** Numbers in all tensors. */
  readonly parameters: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The format's own limit. @see safetensors, README, "Format" */
const MAX_HEADER_BYTES = 100_000_000;
const KEPT_HEADER_BYTES = 32 * 2 ** 20;
const DATATYPES: Readonly<Record<string, { readonly name: string; readonly bits: number }>> = {
  BOOL: { name: "BOOL", bits: 8 },
  U8: { name: "UINT8", bits: 8 },
  I8: { name: "INT8", bits: 8 },
  I16: { name: "INT16", bits: 16 },
  U16: { name: "UINT16", bits: 16 },
  F16: { name: "FP16", bits: 16 },
  BF16: { name: "BF16", bits: 16 },
  I32: { name: "INT32", bits: 32 },
  U32: { name: "UINT32", bits: 32 },
  F32: { name: "FP32", bits: 32 },
  F64: { name: "FP64", bits: 64 },
  I64: { name: "INT64", bits: 64 },
  U64: { name: "UINT64", bits: 64 },
};

/**
 * Reads and checks the header of a safetensors file: sizes fit shapes, tensors lie one after the other without a gap or an overlap, and
 * the file has all of them. @throws ProjectError `MODEL_FILE_INVALID`
 */
export function readSafetensors(file: ModelFile): SafetensorsHeader {
  refuseImpostor(file, "a safetensors file");
  using reader = openReader(file.location, file.path);
  const head = Buffer.from(reader.at(0, 8));
  const length = head.byteLength < 8 ? -1 : Number(head.readBigUInt64LE(0));
  if (length < 2 || length > Math.min(MAX_HEADER_BYTES, reader.size - 8))
    throw invalidModel(
      file.path,
      length < 0
        ? "it is truncated: it has no header"
        : `its header should have ${length} bytes, and the file has ${reader.size}`,
    );
  if (length > KEPT_HEADER_BYTES)
    throw invalidModel(file.path, `its header has ${length} bytes, over ${KEPT_HEADER_BYTES}`);
  const header = parseJsonObject(reader.at(8, length), file.path, "a safetensors file: its header");
  return checkHeader(file.path, header, reader.size - 8 - length);
}

interface Placed {
  readonly tensor: StatedTensor;
  readonly begin: number;
  readonly end: number;
  readonly elements: number;
}

function checkHeader(path: string, header: JsonObject, dataBytes: number): SafetensorsHeader {
  const placed = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => placedTensor(path, name, value));
  let at = 0;
  for (const { tensor, begin, end } of placed.toSorted((a, b) => a.begin - b.begin)) {
    if (begin < at)
      throw invalidModel(path, `tensor "${tensor.name}" overlaps the one before it: wrong offsets`);
    if (begin > at)
      throw invalidModel(path, `there is a gap before tensor "${tensor.name}": wrong offsets`);
    at = end;
  }
  if (at > dataBytes)
    throw invalidModel(
      path,
      `it is truncated: its tensors take ${at} bytes, and ${dataBytes} are there`,
      { hint: "copy the file again" },
    );
  const metadata = Object.entries(objectIn(header, "__metadata__"));
  return {
    tensors: placed.map(({ tensor }) => tensor),
    parameters: placed.reduce((sum, { elements }) => sum + elements, 0),
    metadata: Object.fromEntries(
      metadata.flatMap(([key, value]) => (typeof value === "string" ? [[key, value]] : [])),
    ),
  };
}

function placedTensor(path: string, name: string, value: unknown): Placed {
  const { dtype, shape, data_offsets: offsets } = isJsonObject(value) ? value : {};
  if (typeof dtype !== "string" || !isWholeList(shape) || !isWholeList(offsets))
    throw invalidModel(path, `tensor "${name}" of its header has no dtype, shape or offsets`);
  const [begin = 0, end = -1] = offsets;
  if (begin > end)
    throw invalidModel(path, `tensor "${name}" ends before it begins: wrong offsets in the header`);
  const known = DATATYPES[dtype];
  const elements = shape.reduce((product, axis) => product * axis, 1);
  if (known !== undefined && (elements * known.bits) / 8 !== end - begin)
    throw invalidModel(
      path,
      `tensor "${name}" of its header has ${end - begin} bytes, and its shape wants ${(elements * known.bits) / 8}`,
    );
  return { tensor: { name, datatype: known?.name ?? dtype, shape }, begin, end, elements };
}

function isWholeList(value: unknown): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.every((item) => typeof item === "number" && Number.isSafeInteger(item) && item >= 0)
  );
}
