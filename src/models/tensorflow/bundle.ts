import { basename } from "node:path";
import { WireError, WireReader } from "../../ground/wire/index.ts";
import { openSource, type ByteRange, type FileSource } from "./byte-source.ts";
import { FormatError, invalidFile, parsing } from "./invalid-file.ts";
import { readTable } from "./table.ts";
import type { Checkpoint, TensorEntry, TensorPart } from "./tensor-entry.ts";
import { parseSlice, parseWholeShape, type SliceExtent } from "./tensor-protos.ts";
import { DT } from "./dtypes.ts";

const MAX_SHARDS = 100_000;
/** An index lists tensors, not values: a bigger one is no index. */
const MAX_ENTRIES = 4_000_000;

/**
 * Opens a checkpoint of the second format: `PREFIX.index` and `PREFIX.data-NNNNN-of-NNNNN`. Reads the index only; a shard is opened
 * when its first tensor is wanted.
 * @throws ProjectError `MODEL_FILE_INVALID` naming the index.
 * @see tensorflow, core/protobuf/tensor_bundle.proto
 */
export function openBundle(prefix: string): Checkpoint {
  const indexName = `${basename(prefix)}.index`;
  const entries = readIndex(`${prefix}.index`, indexName);
  const shards = createShards(
    prefix,
    parsing(indexName, () => shardCount(entries.get(""))),
  );
  const tensors = new Map<string, TensorEntry>();
  parsing(indexName, () => {
    for (const [key, bytes] of entries) {
      if (key === "" || key.startsWith("\0")) continue; // the header; parts of tensors
      const name = Buffer.from(key, "latin1").toString("utf8");
      tensors.set(name, bundledTensor({ name, key, entries, shards }, parseEntry(bytes)));
    }
  });
  return { tensors, name: basename(prefix), [Symbol.dispose]: () => shards.close() };
}

function readIndex(path: string, name: string): Map<string, Buffer> {
  using source = openSource(path, name);
  return parsing(name, () => {
    const entries = new Map<string, Buffer>();
    for (const { key, value } of readTable(source)) {
      if (entries.size >= MAX_ENTRIES) throw new FormatError("it lists too many tensors");
      // Keys are bytes: names with marks in front, and numbers.
      entries.set(key.toString("latin1"), value.source.read(value.offset, value.size));
    }
    return entries;
  });
}

function shardCount(header: Buffer | undefined): number {
  if (header === undefined) throw new FormatError("it has no header");
  const reader = new WireReader(header);
  let shards = 0;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((1 << 3) | 0)) shards = reader.int32();
    else if (tag === ((2 << 3) | 0)) assertLittleEndian(reader.int32());
    else reader.skip(tag);
  }
  if (shards < 1 || shards > MAX_SHARDS) throw new FormatError(`it speaks of ${shards} shards`);
  return shards;
}

function assertLittleEndian(endianness: number): void {
  if (endianness !== 0) throw new FormatError("it was written on a big-endian machine");
}

interface BundleEntry {
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly shard: number;
  readonly offset: number;
  readonly size: number;
  readonly crc32c: number;
  readonly slices: readonly (readonly SliceExtent[])[];
}

function parseEntry(bytes: Buffer): BundleEntry {
  const reader = new WireReader(bytes);
  let [dtype, shard, offset, size, crc32c] = [0, 0, 0, 0, 0];
  let shape: readonly number[] = [];
  const slices: Buffer[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((1 << 3) | 0)) dtype = reader.int32();
    else if (tag === ((2 << 3) | 2)) shape = parseWholeShape(reader.bytes());
    else if (tag === ((3 << 3) | 0)) shard = reader.int32();
    else if (tag === ((4 << 3) | 0)) offset = Number(reader.int64());
    else if (tag === ((5 << 3) | 0)) size = Number(reader.int64());
    else if (tag === ((6 << 3) | 5)) crc32c = reader.fixed(4).readUInt32LE(0);
    else if (tag === ((7 << 3) | 2)) slices.push(reader.bytes());
    else reader.skip(tag);
  }
  const parsed = slices.map((slice) => parseSlice(slice, shape));
  return { dtype, shape, shard, offset, size, crc32c, slices: parsed };
}

interface BundleKey {
  readonly name: string;
  readonly key: string;
  readonly entries: ReadonlyMap<string, Buffer>;
  readonly shards: Shards;
}

function bundledTensor(place: BundleKey, entry: BundleEntry): TensorEntry {
  const { name, shards } = place;
  const { dtype, shape } = entry;
  const whole = shape.map((length) => ({ start: 0, length, isWhole: true }));
  if (entry.slices.length === 0)
    return { name, dtype, shape, parts: [partOf(name, entry, { extents: whole, shards })] };
  const parts = entry.slices.map((extents) => {
    const bytes = place.entries.get(sliceKey(place.key, extents));
    if (bytes === undefined) throw new WireError(`a part of tensor "${name}" is not listed`);
    return partOf(name, { ...parseEntry(bytes), dtype }, { extents, shards });
  });
  return { name, dtype, shape, parts };
}

function partOf(
  name: string,
  { dtype, shard, offset, size, crc32c }: BundleEntry,
  { extents, shards }: { readonly extents: readonly SliceExtent[]; readonly shards: Shards },
): TensorPart {
  return {
    extents,
    encoding: dtype === DT.string ? "bundle-strings" : "raw",
    locate: () => shards.locate(name, { shard, offset, size }),
    crc32c,
  };
}

interface Shards {
  locate(
    name: string,
    place: { readonly shard: number; readonly offset: number; readonly size: number },
  ): ByteRange;
  close(): void;
}

function createShards(prefix: string, count: number): Shards {
  const open = new Map<number, FileSource>();
  const five = (number: number): string => String(number).padStart(5, "0");
  const sourceOf = (shard: number): FileSource => {
    const suffix = `.data-${five(shard)}-of-${five(count)}`;
    const source = open.get(shard) ?? openSource(prefix + suffix, basename(prefix) + suffix);
    open.set(shard, source);
    return source;
  };
  return {
    locate(name, { shard, offset, size }) {
      if (shard < 0 || shard >= count)
        throw invalidFile(
          `${basename(prefix)}.index`,
          `tensor "${name}" should lie in shard ${shard} of ${count}`,
        );
      const source = sourceOf(shard);
      if (offset < 0 || size < 0 || offset + size > source.size)
        throw invalidFile(
          source.name,
          `tensor "${name}" should be its bytes ${offset} to ${offset + size}, and it has ${source.size}`,
        );
      return { source, offset, size };
    },
    close() {
      for (const source of open.values()) source[Symbol.dispose]();
      open.clear();
    },
  };
}

/** Headers of numbers by their length in bytes. */
const LENGTH_BITS = [0, 0x80, 0xc0, 0xe0, 0xf0, 0xf8, 0xfc, 0xfe, 0xff] as const;

/**
 * The key under which a part of a tensor is listed: the name, then start and length of each axis, written so that keys sort as numbers.
 * @see tensorflow, core/util/saved_tensor_slice_util.cc and core/lib/strings/ordered_code.cc
 */
function sliceKey(name: string, extents: readonly SliceExtent[]): string {
  const numbers = extents.flatMap(({ start, length, isWhole }) =>
    isWhole ? [orderedSigned(0), orderedSigned(-1)] : [orderedSigned(start), orderedSigned(length)],
  );
  return `\0${orderedText(name)}${orderedCount(extents.length)}${numbers.join("")}`;
}

function orderedText(text: string): string {
  const escaped = text.replaceAll(/[\0\xff]/g, (byte) => (byte === "\0" ? "\0\xff" : "\xff\0"));
  return `${escaped}\0\x01`;
}

function orderedCount(value: number): string {
  return value === 0 ? "\0" : `\x01${String.fromCharCode(value)}`;
}

function orderedSigned(value: number): string {
  const magnitude = value < 0 ? -value - 1 : value;
  let length = 1;
  while (magnitude >= 2 ** (7 * length - 1) && length < 8) length += 1;
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  const tail = bytes.subarray(8 - length);
  tail[0] = (tail[0] ?? 0) ^ (LENGTH_BITS[length] ?? 0);
  return tail.toString("latin1");
}
