import { basename } from "node:path";
import { WireFile, WireReader, type WireField } from "../../ground/wire/index.ts";
import type { RandomReader } from "../../ground/bytes/index.ts";
import { openSource, type ByteRange, type FileSource } from "./byte-source.ts";
import { FormatError, parsing } from "./invalid-file.ts";
import { readTable } from "./table.ts";
import type { Checkpoint, TensorEntry, TensorPart } from "./tensor-entry.ts";
import { parseSlice, parseWholeShape } from "./tensor-protos.ts";

const MAX_PARTS = 4_000_000;
const MAX_META_BYTES = 256 << 20;

/**
 * Opens a checkpoint of the first format: one table per file, with tensors as protobuf messages. Several files are the shards of one
 * checkpoint. All checksums are verified now; values stay in the files.
 * @throws ProjectError `MODEL_FILE_INVALID` naming the file.
 * @see tensorflow, core/util/saved_tensor_slice.proto
 */
export function openV1Checkpoint(prefix: string, paths: readonly string[]): Checkpoint {
  const sources: FileSource[] = [];
  const close = (): void => {
    for (const source of sources) source[Symbol.dispose]();
  };
  try {
    const tensors = new Map<string, GrowingEntry>();
    for (const path of paths) {
      const source = openSource(path, basename(path));
      sources.push(source);
      parsing(source.name, () => addTensors(source, tensors));
    }
    return { tensors, name: basename(prefix), [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Parts of one tensor may lie in several files. */
interface GrowingEntry extends TensorEntry {
  readonly parts: TensorPart[];
}

interface TensorFacts {
  readonly dtype: number;
  readonly shape: readonly number[];
}

function addTensors(source: FileSource, tensors: Map<string, GrowingEntry>): void {
  let facts = new Map<string, TensorFacts>();
  let count = 0;
  for (const { key, value } of readTable(source)) {
    if (key.byteLength === 0) {
      if (value.size > MAX_META_BYTES) throw new FormatError("its list of tensors is too long");
      facts = parseMeta(value.source.read(value.offset, value.size));
      continue;
    }
    count += 1;
    if (count > MAX_PARTS) throw new FormatError("it has too many parts");
    const { name, slice, data } = slicePlace(value);
    const fact = facts.get(name);
    if (fact === undefined) throw new FormatError(`tensor "${name}" is not in its list`);
    const part: TensorPart = {
      extents: parseSlice(slice, fact.shape),
      encoding: "tensor-proto",
      locate: () => data,
    };
    const known = tensors.get(name);
    if (known === undefined) tensors.set(name, { name, ...fact, parts: [part] });
    else known.parts.push(part);
  }
}

/** SavedTensorSlices.meta: names, shapes and types. */
function parseMeta(bytes: Buffer): Map<string, TensorFacts> {
  const facts = new Map<string, TensorFacts>();
  const reader = new WireReader(bytes);
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag !== ((1 << 3) | 2)) {
      reader.skip(tag);
      continue;
    }
    const outer = reader.enter();
    for (let inner = reader.tag(); inner !== 0; inner = reader.tag()) {
      if (inner === ((1 << 3) | 2)) addFacts(reader.bytes(), facts);
      else reader.skip(inner);
    }
    reader.leave(outer);
  }
  return facts;
}

function addFacts(bytes: Buffer, facts: Map<string, TensorFacts>): void {
  const reader = new WireReader(bytes);
  let [name, dtype] = ["", 0];
  let shape: readonly number[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ((1 << 3) | 2)) name = reader.string();
    else if (tag === ((2 << 3) | 2)) shape = parseWholeShape(reader.bytes());
    else if (tag === ((3 << 3) | 0)) dtype = reader.int32();
    else reader.skip(tag);
  }
  facts.set(name, { dtype, shape });
}

/** A SavedTensorSlices with data: name and slice are read, the values are only found. */
function slicePlace(value: ByteRange): {
  readonly name: string;
  readonly slice: Buffer;
  readonly data: ByteRange;
} {
  const file = new WireFile(rangeReader(value), { maxFields: 1000 });
  for (const outer of file.fields()) {
    if (outer.number !== 2) continue;
    let name = "";
    let slice: Buffer = Buffer.alloc(0);
    let data: WireField | undefined;
    for (const field of file.inside(outer)) {
      if (field.number === 1) name = file.text(field);
      else if (field.number === 2) slice = file.bytes(field, 1 << 16);
      else if (field.number === 3) data = field;
    }
    if (data === undefined) break;
    const { start, end } = data;
    return {
      name,
      slice,
      data: { source: value.source, offset: value.offset + start, size: end - start },
    };
  }
  throw new FormatError("a row has no values");
}

/** A range of a source as what the protobuf reader wants. */
export function rangeReader({ source, offset, size }: ByteRange): RandomReader {
  return {
    size,
    at: (start, length) => source.read(offset + start, Math.max(0, Math.min(length, size - start))),
    [Symbol.dispose]: () => undefined,
  };
}
