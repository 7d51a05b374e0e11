import { crc32c, maskCrc32c } from "../../ground/bytes/index.ts";
import { WireFile, WireReader, type WireField } from "../../ground/wire/index.ts";
import type { ByteRange } from "./byte-source.ts";
import { dtypeBytes } from "./dtypes.ts";
import { FormatError } from "./invalid-file.ts";
import { elementCount, type TensorPart } from "./tensor-entry.ts";
import { rangeReader } from "./v1-checkpoint.ts";
import { varintAt } from "./table.ts";

/** Values that are decoded in memory, not streamed: strings, and the small numbers of V1 checkpoints. */
const MAX_DECODED_BYTES = 192 << 20;
/** Fields of a TensorProto whose packed values are the elements' bytes: float, double, complex64, complex128. */
const PLAIN_FIELDS: Readonly<Record<number, number>> = { 1: 5, 2: 6, 8: 9, 18: 12 };
/** Fields that hold varints: int64, bool, uint32, uint64, and the half types; the other whole numbers are in `int_val`. */
const VARINT_FIELDS: Readonly<Record<number, number>> = {
  9: 10,
  10: 11,
  14: 13,
  19: 13,
  22: 16,
  23: 17,
};
const INT_FIELD = 7;
const STRING_FIELD = 8;
const CONTENT_FIELD = 4;

/** Elements as bytes: in memory, or still in a file. */
export type RawValues =
  | { readonly bytes: Buffer; readonly range?: undefined }
  | { readonly bytes?: undefined; readonly range: ByteRange };

/** Elements that one part has. */
function partCount(part: TensorPart): number {
  return elementCount(part.extents.map(({ length }) => length));
}

/**
 * Finds the elements of a part as plain little-endian bytes, decoding them where the format has another form.
 * @throws FormatError when there are more or fewer bytes than the shape wants.
 */
export function rawValues(part: TensorPart, dtype: number): RawValues {
  const wanted = partCount(part) * dtypeBytes(dtype);
  const range = part.locate();
  if (part.encoding === "raw") {
    if (range.size !== wanted)
      throw new FormatError(`it has ${range.size} bytes where its shape wants ${wanted}`);
    return { range };
  }
  const values = protoValues(range, dtype, wanted);
  const size = values.bytes?.byteLength ?? values.range?.size;
  if (size !== wanted)
    throw new FormatError(`it has ${size} bytes where its shape wants ${wanted}`);
  return values;
}

/** Strings of a part, in row-major order. @throws FormatError when they are damaged or not as many as the shape wants. */
export function stringValues(part: TensorPart): readonly Buffer[] {
  const range = part.locate();
  if (range.size > MAX_DECODED_BYTES) throw new FormatError(`its text has ${range.size} bytes`);
  const count = partCount(part);
  // Even an empty string takes one byte.
  if (count > range.size) throw new FormatError(`it has fewer than ${count} strings`);
  const bytes = range.source.read(range.offset, range.size);
  const strings =
    part.encoding === "bundle-strings"
      ? bundleStrings(bytes, count, part.crc32c)
      : protoStrings(bytes);
  if (strings.length !== count)
    throw new FormatError(`it has ${strings.length} strings where its shape wants ${count}`);
  return strings;
}

/**
 * Lengths, the checksum of the lengths, then the text. The checksum of all is taken over the lengths as 32-bit numbers.
 * @see tensorflow, core/util/tensor_bundle/tensor_bundle.cc, WriteStringTensor
 */
function bundleStrings(bytes: Buffer, count: number, wanted: number | undefined): Buffer[] {
  const lengths: number[] = [];
  let at = 0;
  let sum = 0;
  for (let index = 0; index < count; index += 1) {
    const { value, next } = varintAt(bytes, at);
    lengths.push(value);
    sum = crc32c(fixedLength(value), sum);
    at = next;
  }
  if (at + 4 > bytes.byteLength || bytes.readUInt32LE(at) !== maskCrc32c(sum))
    throw new FormatError("it is damaged: the checksum of its lengths differs");
  sum = crc32c(bytes.subarray(at), sum);
  if (wanted !== undefined && maskCrc32c(sum) !== wanted)
    throw new FormatError("it is damaged: its checksum differs");
  at += 4;
  const strings = lengths.map((length) => bytes.subarray(at, (at += length)));
  if (at !== bytes.byteLength) throw new FormatError("its lengths do not fit its text");
  return strings;
}

function fixedLength(value: number): Buffer {
  const bytes = Buffer.alloc(value > 0xffffffff ? 8 : 4);
  if (bytes.byteLength === 8) bytes.writeBigUInt64LE(BigInt(value));
  else bytes.writeUInt32LE(value);
  return bytes;
}

function protoStrings(bytes: Buffer): Buffer[] {
  const reader = new WireReader(bytes);
  const strings: Buffer[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((STRING_FIELD << 3) | 2)) strings.push(reader.bytes());
    else reader.skip(tag);
  }
  return strings;
}

function protoValues(range: ByteRange, dtype: number, wanted: number): RawValues {
  const file = new WireFile(rangeReader(range), { maxFields: 100_000 });
  const plain = PLAIN_FIELDS[dtype];
  const number = VARINT_FIELDS[dtype] ?? INT_FIELD;
  for (const field of file.fields()) {
    if (field.number === CONTENT_FIELD && field.end > field.start)
      return { range: within(range, field) };
    if (plain !== undefined && field.number === plain && field.wireType === 2)
      return { range: within(range, field) };
    if (plain === undefined && field.number === number)
      return { bytes: decodeVarints(range, { field, dtype, wanted }) };
  }
  return { bytes: Buffer.alloc(0) };
}

function within({ source, offset }: ByteRange, { start, end }: WireField): ByteRange {
  return { source, offset: offset + start, size: end - start };
}

interface Varints {
  readonly field: WireField;
  readonly dtype: number;
  readonly wanted: number;
}

function decodeVarints(range: ByteRange, { field, dtype, wanted }: Varints): Buffer {
  const { source, offset, size } = within(range, field);
  if (Math.max(size, wanted) > MAX_DECODED_BYTES)
    throw new FormatError(`its ${size} bytes of numbers are too many to decode`);
  if (field.wireType !== 2) throw new FormatError("its numbers are not packed");
  const input = source.read(offset, size);
  const width = dtypeBytes(dtype);
  const output = Buffer.alloc(Math.min(wanted, size * width));
  const reader = new WireReader(input);
  let at = 0;
  for (; reader.at < input.byteLength; at += width) {
    if (at + width > output.byteLength)
      throw new FormatError("it has more numbers than its shape wants");
    if (width === 8) output.writeBigInt64LE(reader.int64(), at);
    else output.writeIntLE(truncate(reader.int32(), width), at, width);
  }
  return output.subarray(0, at);
}

/** The low bytes of a number, with the sign that they then have. */
function truncate(value: number, width: number): number {
  const unused = 32 - 8 * width;
  return (value << unused) >> unused;
}
