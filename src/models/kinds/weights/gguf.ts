import { openReader, type RandomReader } from "../../../ground/bytes/index.ts";
import type { Detail, KindRow, ModelFacts, ModelFile } from "../contracts.ts";
import { headOf, invalidModel, modelFileAt, refuseImpostor } from "../files/model-file.ts";

/** GGUF, the format of llama.cpp: described, not served. */
export const gguf: KindRow = {
  name: "gguf",
  requirements: [],
  recognise: (files) =>
    Promise.resolve(
      files
        .filter(({ path }) => /\.gguf$/i.test(path))
        .map(({ path }) => ({
          kind: "gguf",
          modelPath: path,
          isCertain: false,
          label: `GGUF model "${path}"`,
        })),
    ),
  describe: ({ modelPath = "" }, files) =>
    Promise.resolve(describeGguf(modelFileAt(files, modelPath))),
};

/** Bytes that are no GGUF. */
class GgufError extends Error {}

const MAX_KEYS = 100_000;
const MAX_TENSORS = 1_000_000;
const MAX_ITEMS = 10_000_000;
const MAX_TEXT_BYTES = 2 ** 20;
const MAX_KEPT_TEXT = 256;
/** Bytes of the types that have a fixed size. @see ggml, docs/gguf.md, gguf_metadata_value_type */
const WIDTHS: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};
const TEXT_TYPE = 8;
const ARRAY_TYPE = 9;

function describeGguf(file: ModelFile): ModelFacts {
  refuseImpostor(file, "a GGUF model");
  if (headOf(file).content !== "gguf") throw invalidModel(file.path, "it is not a GGUF model");
  using reader = openReader(file.location, file.path);
  try {
    return ggufFacts(file, new GgufCursor(reader));
  } catch (cause) {
    if (!(cause instanceof GgufError)) throw cause;
    throw invalidModel(file.path, `it is not a whole GGUF model: ${cause.message}`, { cause });
  }
}

function ggufFacts(file: ModelFile, cursor: GgufCursor): ModelFacts {
  cursor.skip(4);
  const version = cursor.uint(4);
  if (version < 2 || version > 3)
    throw new GgufError(`its version is ${version}, and 2 or 3 is read`);
  const tensors = cursor.uint(8);
  const keys = cursor.uint(8);
  if (tensors > MAX_TENSORS || keys > MAX_KEYS)
    throw new GgufError(`it states ${tensors} tensors and ${keys} keys`);
  const metadata = readMetadata(cursor, keys);
  const parameters = readTensors(cursor, tensors);
  const architecture = metadata.get("general.architecture");
  const context = metadata.get(
    typeof architecture === "string" ? `${architecture}.context_length` : "",
  );
  return {
    files: [file.path],
    warnings: [],
    details: {
      ggufVersion: version,
      tensors,
      parameters,
      ...(architecture !== undefined && { architecture }),
      ...(metadata.has("general.name") && { name: metadata.get("general.name") ?? "" }),
      ...(context !== undefined && { contextLength: context }),
      metadata: Object.fromEntries([...metadata].slice(0, 200)),
    },
    obstacle: {
      code: "UNSUPPORTED",
      why: "it is a GGUF model, a kind that is described and not served",
      hint: "serve it with llama.cpp",
    },
  };
}

function readMetadata(cursor: GgufCursor, count: number): ReadonlyMap<string, Detail> {
  const metadata = new Map<string, Detail>();
  for (let index = 0; index < count; index += 1) {
    const key = cursor.text();
    const value = readValue(cursor, cursor.uint(4), 0);
    if (value !== undefined) metadata.set(key, value);
  }
  return metadata;
}

/** @returns nothing for lists, which are passed over. */
function readValue(cursor: GgufCursor, type: number, depth: number): Detail | undefined {
  if (type === TEXT_TYPE) return cursor.text().slice(0, MAX_KEPT_TEXT);
  if (type === ARRAY_TYPE) return skipArray(cursor, depth);
  const width = WIDTHS[type];
  if (width === undefined) throw new GgufError(`a value has type ${type}`);
  return cursor.value(type, width);
}

function skipArray(cursor: GgufCursor, depth: number): undefined {
  if (depth > 4) throw new GgufError("lists are nested too deep");
  const type = cursor.uint(4);
  const count = cursor.uint(8);
  if (count > MAX_ITEMS) throw new GgufError(`a list has ${count} items`);
  const width = WIDTHS[type];
  if (width !== undefined) cursor.skip(width * count);
  else for (let index = 0; index < count; index += 1) skipItem(cursor, type, depth);
  return undefined;
}

function skipItem(cursor: GgufCursor, type: number, depth: number): void {
  if (type === TEXT_TYPE) cursor.skip(cursor.uint(8));
  else if (type === ARRAY_TYPE) skipArray(cursor, depth + 1);
  else throw new GgufError(`a list has items of type ${type}`);
}

/** @returns how many numbers the tensors have in all. */
function readTensors(cursor: GgufCursor, count: number): number {
  let parameters = 0;
  for (let index = 0; index < count; index += 1) {
    cursor.skip(cursor.uint(8));
    const axes = cursor.uint(4);
    if (axes > 16) throw new GgufError(`a tensor has ${axes} axes`);
    let elements = 1;
    for (let axis = 0; axis < axes; axis += 1) elements *= cursor.uint(8);
    parameters += elements;
    cursor.skip(12); // type and offset
  }
  return parameters;
}

/** Reads numbers and text one after the other, little-endian. */
class GgufCursor {
  readonly #reader: RandomReader;
  #at = 0;

  constructor(reader: RandomReader) {
    this.#reader = reader;
  }

  skip(count: number): void {
    this.#at += count;
    if (this.#at > this.#reader.size) throw new GgufError("it is truncated");
  }

  uint(width: 4 | 8): number {
    const view = this.#view(width);
    const value = width === 4 ? view.getUint32(0, true) : Number(view.getBigUint64(0, true));
    if (!Number.isSafeInteger(value)) throw new GgufError(`a length is ${value}`);
    return value;
  }

  text(): string {
    const length = this.uint(8);
    if (length > MAX_TEXT_BYTES) throw new GgufError(`a text has ${length} bytes`);
    return new TextDecoder().decode(this.#view(length));
  }

  /** A number or truth value of a fixed size. */
  value(type: number, width: number): Detail {
    const view = this.#view(width);
    if (type === 7) return view.getUint8(0) !== 0;
    if (type === 6) return view.getFloat32(0, true);
    if (type === 12) return view.getFloat64(0, true);
    if (type === 10) return Number(view.getBigUint64(0, true));
    if (type === 11) return Number(view.getBigInt64(0, true));
    const isSigned = type % 2 === 1;
    if (width === 1) return isSigned ? view.getInt8(0) : view.getUint8(0);
    if (width === 2) return isSigned ? view.getInt16(0, true) : view.getUint16(0, true);
    return isSigned ? view.getInt32(0, true) : view.getUint32(0, true);
  }

  #view(count: number): DataView {
    const bytes = this.#reader.at(this.#at, count);
    if (bytes.byteLength < count) throw new GgufError("it is truncated");
    this.#at += count;
    return new DataView(bytes.buffer, bytes.byteOffset, count);
  }
}
