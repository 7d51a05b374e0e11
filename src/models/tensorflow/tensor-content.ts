import { open } from "node:fs/promises";
import { crc32c, maskCrc32c, readRange, type Bytes } from "../../ground/bytes/index.ts";
import type { ByteRange } from "./byte-source.ts";
import { copyBox, intersect, isSameBox, spanIn, splitBox } from "./box.ts";
import { dtypeBytes } from "./dtypes.ts";
import { FormatError, invalidFile, parsing } from "./invalid-file.ts";
import { elementCount, type Extent, type TensorEntry, type TensorPart } from "./tensor-entry.ts";
import { rawValues, stringValues, type RawValues } from "./tensor-values.ts";

/** The elements of a box of a tensor, as a protobuf's `tensor_content` wants them. */
export interface TensorContent {
  /** Bytes. */
  readonly size: number;
  /**
   * Streams them; memory does not grow with their number. A chunk holds until three more were asked for, more than `writeBehind` needs. Checksums are verified before the last bytes are given.
   * @throws ProjectError `MODEL_FILE_INVALID` naming file and tensor.
   */
  open(): Bytes;
}

/** Fresh memory for every chunk would cost as much as the checksums. One is read, one is with the consumer, one is being written, one is to spare. */
const CHUNKS_IN_FLIGHT = 4;
/** No more than this is held at once where a tensor is put together from parts. */
const CHUNK_BYTES = 8 << 20;

interface OpenPart {
  readonly part: TensorPart;
  readonly values: RawValues;
  readonly fileName: string;
}

/**
 * Finds the values of a box of a tensor with elements of fixed size. Whatever can be known without reading values is checked now.
 * @throws ProjectError `MODEL_FILE_INVALID` naming file and tensor.
 */
export function tensorContent(entry: TensorEntry, box: readonly Extent[]): TensorContent {
  const parts = partsIn(entry, box).map((part): OpenPart => {
    const fileName = part.locate().source.name;
    return {
      part,
      fileName,
      values: parsingTensor(fileName, entry.name, () => rawValues(part, entry.dtype)),
    };
  });
  const width = dtypeBytes(entry.dtype);
  const size = elementCount(box.map(({ length }) => length)) * width;
  const [first] = parts;
  if (first !== undefined && parts.length === 1 && isSameBox(first.part.extents, box))
    return { size, open: () => streamPart(entry.name, first) };
  return { size, open: () => assemble(entry, { box, parts, width }) };
}

/** Strings of a box of a tensor, row by row. @throws ProjectError `MODEL_FILE_INVALID` naming file and tensor. */
export function tensorStrings(entry: TensorEntry, box: readonly Extent[]): readonly Buffer[] {
  const lengths = box.map(({ length }) => length);
  const result: Buffer[] = Array.from({ length: elementCount(lengths) }, () => Buffer.alloc(0));
  for (const part of partsIn(entry, box)) {
    const { name } = part.locate().source;
    const strings = parsingTensor(name, entry.name, () => stringValues(part));
    const common = intersect(part.extents, box);
    if (common === undefined) continue;
    copyBox({ box: common, from: part.extents, to: box }, (from, to, count) => {
      for (let index = 0; index < count; index += 1)
        result[to + index] = strings[from + index] ?? Buffer.alloc(0);
    });
  }
  return result;
}

/** Parts that touch a box. @throws ProjectError when they do not cover it. */
function partsIn(entry: TensorEntry, box: readonly Extent[]): readonly TensorPart[] {
  const volume = elementCount(box.map(({ length }) => length));
  let covered = 0;
  const parts = entry.parts.filter((part) => {
    const common = intersect(part.extents, box);
    if (common !== undefined) covered += elementCount(common.map(({ length }) => length));
    return common !== undefined;
  });
  if (covered < volume)
    throw invalidFile(entry.name, `the parts of tensor "${entry.name}" do not cover it`);
  return volume === 0 ? [] : parts;
}

function parsingTensor<T>(file: string, tensor: string, parse: () => T): T {
  return parsing(file, () => {
    try {
      return parse();
    } catch (error) {
      if (error instanceof FormatError)
        throw new FormatError(`tensor "${tensor}": ${error.message}`, { cause: error });
      throw error;
    }
  });
}

async function* streamPart(tensor: string, open: OpenPart): Bytes {
  const { values, part, fileName } = open;
  if (values.bytes !== undefined) {
    yield values.bytes;
    return;
  }
  let [sum, position] = [0, 0];
  const { size } = values.range;
  for await (const chunk of streamRange(values.range)) {
    sum = crc32c(chunk, sum);
    position += chunk.byteLength;
    if (position === size) assertSum({ tensor, fileName, part, sum });
    yield chunk;
  }
  if (position < size) throw invalidFile(fileName, `it became shorter while "${tensor}" was read`);
}

function assertSum(seen: {
  readonly tensor: string;
  readonly fileName: string;
  readonly part: TensorPart;
  readonly sum: number;
}): void {
  const { tensor, fileName, part, sum } = seen;
  if (part.crc32c !== undefined && maskCrc32c(sum) !== part.crc32c)
    throw invalidFile(fileName, `tensor "${tensor}" is damaged: its checksum differs`);
}

async function* streamRange({ source, offset, size }: ByteRange): Bytes {
  if (source.path === undefined) {
    if (size > 0) yield source.read(offset, size);
    return;
  }
  await using file = await open(source.path);
  yield* readRange(file, { start: offset, end: offset + size, buffers: CHUNKS_IN_FLIGHT });
}

interface Assembly {
  readonly box: readonly Extent[];
  readonly parts: readonly OpenPart[];
  readonly width: number;
}

/** Gives a box piece by piece; each piece is small, and so is what must be read of every part for it. */
async function* assemble(entry: TensorEntry, { box, parts, width }: Assembly): Bytes {
  // Pieces are read here and there, so the checksums are verified first.
  for (const open of parts) for await (const _ of streamPart(entry.name, open)) continue;
  const isSmall = (piece: readonly Extent[]): boolean =>
    elementCount(piece.map(({ length }) => length)) * width <= CHUNK_BYTES &&
    parts.every(({ part }) => {
      const common = intersect(part.extents, piece);
      return common === undefined || spanIn(part.extents, common).length * width <= CHUNK_BYTES;
    });
  for (const piece of splitBox(box, isSmall))
    yield parsing(entry.name, () => assemblePiece(piece, { parts, width }));
}

function assemblePiece(
  piece: readonly Extent[],
  { parts, width }: { readonly parts: readonly OpenPart[]; readonly width: number },
): Buffer {
  const output = Buffer.alloc(elementCount(piece.map(({ length }) => length)) * width);
  for (const { part, values } of parts) {
    const common = intersect(part.extents, piece);
    if (common === undefined) continue;
    const span = spanIn(part.extents, common);
    const [at, size] = [span.start * width, span.length * width];
    const bytes =
      values.bytes?.subarray(at, at + size) ??
      values.range?.source.read(values.range.offset + at, size);
    if (bytes === undefined) continue;
    copyBox({ box: common, from: part.extents, to: piece }, (from, to, count) => {
      const start = (from - span.start) * width;
      output.set(bytes.subarray(start, start + count * width), to * width);
    });
  }
  return output;
}
