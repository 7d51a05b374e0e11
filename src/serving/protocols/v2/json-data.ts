import { bytesOf, shapeText } from "../../../models/tensor/index.ts";
import { takeRun, writeWide, type JsonReader } from "../json/index.ts";
import { tensorInvalid } from "../request-errors.ts";
import { countElements, type TensorHead } from "./tensor-size.ts";

const OPEN = 0x5b;
const OBJECT = 0x7b;
const QUOTE = 0x22;
/** No 64-bit integer has more characters. */
const LONGEST_INTEGER = 20;

/**
 * Takes the JSON array at the reader's place as the data of a tensor: flat in row-major order, or nested exactly as its shape says.
 * Numbers go straight into the tensor's own bytes; 64-bit integers stay exact. A number that the datatype cannot hold, a fraction or an
 * exponent for integers, and a value of another kind are refused.
 * @throws InferenceError `TENSOR_INVALID`; JsonError for what is no JSON
 */
export function readJsonData(reader: JsonReader, head: TensorHead): Uint8Array {
  const count = countElements(head.name, head.shape);
  if (reader.peek() !== OPEN)
    throw tensorInvalid({ tensor: head.name, why: "its data is no list" });
  if (count > reader.left)
    // each value takes a byte at least
    throw tensorInvalid({
      tensor: head.name,
      why: `its data has fewer values than the ${count} of shape ${shapeText(head.shape)}`,
    });
  const sink = createSink(head, count);
  const rows = new RowReader(reader, { ...head, count }, sink);
  rows.read();
  return sink.finish();
}

/** Takes values one by one, in row-major order. */
export interface Sink {
  /** @throws InferenceError `TENSOR_INVALID` for a value that the datatype cannot hold */
  take(reader: JsonReader, index: number): void;
  /**
   * Takes plain numbers from `index` on, as many as lie there and as there is room for, each of which `take` would have taken. Returns how
   * many; after a 0 `take` has its turn. Absent where values are no numbers.
   */
  readonly takeMany?: (reader: JsonReader, index: number) => number;
  finish(): Uint8Array;
}

/** Takes an object that stands for bytes. */
export type ItemReader = (reader: JsonReader, head: { readonly name: string }) => Uint8Array;

/**
 * Takes `count` JSON values as data of a datatype.
 * @param readItem - takes objects among the values of `BYTES`. Default: they are refused
 */
export function createSink(head: TensorHead, count: number, readItem?: ItemReader): Sink {
  return head.datatype === "BYTES"
    ? textSink(head, count, readItem)
    : SINKS[head.datatype](head, count);
}

class RowReader {
  readonly #reader: JsonReader;
  readonly #head: TensorHead & { readonly count: number };
  readonly #sink: Sink;
  #next = 0;

  constructor(reader: JsonReader, head: TensorHead & { readonly count: number }, sink: Sink) {
    this.#reader = reader;
    this.#head = head;
    this.#sink = sink;
  }

  read(): void {
    const reader = this.#reader;
    const { shape, count } = this.#head;
    reader.enter(OPEN);
    const isEmpty = !reader.firstItem();
    const isNested = !isEmpty && shape.length > 1 && reader.peek() === OPEN;
    if (isNested) this.#rows(0);
    else this.#leaves(count, isEmpty);
  }

  /** The items of a row of rows whose bracket is taken and which is not empty. */
  #rows(depth: number): void {
    const reader = this.#reader;
    const { shape } = this.#head;
    const wanted = shape[depth] ?? 0;
    let length = 0;
    for (let more = true; more; more = reader.nextItem()) {
      length += 1;
      if (length > wanted) this.#ragged(depth);
      if (reader.peek() !== OPEN) this.#ragged(depth);
      reader.enter(OPEN);
      const isEmpty = !reader.firstItem();
      const inner = depth + 1;
      if (inner === shape.length - 1) this.#leaves(shape[inner] ?? 0, isEmpty);
      else if (!isEmpty) this.#rows(inner);
      else if (shape[inner] !== 0) this.#ragged(inner);
    }
    if (length !== wanted) this.#ragged(depth);
  }

  #leaves(wanted: number, isEmpty: boolean): void {
    const reader = this.#reader;
    const last = this.#next + wanted;
    for (let more = !isEmpty; more; more = reader.nextItem()) {
      const taken = this.#sink.takeMany?.(reader, this.#next) ?? 0;
      this.#next += taken;
      if (this.#next > last || (taken === 0 && this.#next === last)) this.#miscounted("more");
      if (taken > 0) continue;
      this.#sink.take(reader, this.#next);
      this.#next += 1;
    }
    if (this.#next !== last) this.#miscounted("fewer");
  }

  #ragged(depth: number): never {
    const { name, shape } = this.#head;
    throw tensorInvalid({
      tensor: name,
      why: `its lists do not have the shape ${shapeText(shape)} on axis ${depth}`,
      expected: shapeText(shape),
    });
  }

  #miscounted(how: "more" | "fewer"): never {
    const { name, shape, count } = this.#head;
    throw tensorInvalid({
      tensor: name,
      why: `its data has ${how} values than the shape ${shapeText(shape)} says, which is ${count} in all`,
      expected: `${count} values`,
    });
  }
}

const SINKS: Readonly<Record<TensorHead["datatype"], (head: TensorHead, count: number) => Sink>> = {
  BOOL: (head, count) => boolSink(head, count),
  INT8: (head, count) => integerSink(head, new Int8Array(count)),
  INT16: (head, count) => integerSink(head, new Int16Array(count)),
  INT32: (head, count) => integerSink(head, new Int32Array(count)),
  INT64: (head, count) => bigSink(head, new BigInt64Array(count)),
  UINT8: (head, count) => integerSink(head, new Uint8Array(count)),
  UINT16: (head, count) => integerSink(head, new Uint16Array(count)),
  UINT32: (head, count) => integerSink(head, new Uint32Array(count)),
  UINT64: (head, count) => bigSink(head, new BigUint64Array(count)),
  FP16: refuseHalf,
  BF16: refuseHalf,
  FP32: (head, count) => floatSink(head, new Float32Array(count)),
  FP64: (head, count) => floatSink(head, new Float64Array(count)),
  BYTES: textSink,
};

function refuseHalf({ name, datatype }: TensorHead): never {
  throw tensorInvalid({
    tensor: name,
    why: `${datatype} cannot be sent in JSON`,
    hint: "send it by binary_data_size, or over gRPC in raw_input_contents",
  });
}

function refuseValue({ name, datatype }: TensorHead, index: number, text: string): never {
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  throw tensorInvalid({
    tensor: name,
    why: `element ${index} is ${shown}, which is no ${datatype}`,
    expected: datatype,
    actual: shown,
  });
}

/** A number, or a refusal that shows what came instead. */
function numberAt(reader: JsonReader, head: TensorHead, index: number): number {
  const byte = reader.peek();
  if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39) || byte === 0x4e || byte === 0x49)
    return reader.number();
  return refuseOther(reader, head, index);
}

function refuseOther(reader: JsonReader, head: TensorHead, index: number): never {
  const start = reader.at;
  reader.skip();
  return refuseValue(head, index, reader.slice(start, Math.min(reader.at, start + 64)));
}

type SmallIntegers = Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array;

function integerSink(head: TensorHead, into: SmallIntegers): Sink {
  return {
    take: (reader, index) => {
      const start = reader.at;
      const value = numberAt(reader, head, index);
      into[index] = value;
      if (into[index] !== value || reader.isFloat)
        refuseValue(head, index, reader.slice(start, reader.at).trim());
    },
    takeMany: (reader, index) =>
      takeRun(reader, into.length - index, (values, count) => {
        if (reader.isFloat) return false;
        for (let at = 0; at < count; at += 1) {
          const value = values[at] ?? 0;
          into[index + at] = value;
          if (into[index + at] !== value) return false;
        }
        return true;
      }),
    finish: () => bytesOf(into),
  };
}

function bigSink(head: TensorHead, into: BigInt64Array | BigUint64Array): Sink {
  const words = new Int32Array(into.buffer);
  const isSigned = into instanceof BigInt64Array;
  return {
    takeMany: (reader, index) =>
      takeRun(reader, into.length - index, (values, count) => {
        if (reader.isFloat || !(isSigned || areNatural(values, count))) return false;
        writeWide(words, index, values, count);
        return true;
      }),
    take: (reader, index) => {
      reader.peek();
      const start = reader.at;
      const value = numberAt(reader, head, index);
      const size = reader.at - start;
      const exact =
        reader.isFloat || size > LONGEST_INTEGER
          ? undefined
          : BigInt(reader.isBig ? reader.slice(start, reader.at) : value);
      if (exact !== undefined) into[index] = exact;
      if (exact === undefined || into[index] !== exact)
        refuseValue(head, index, reader.slice(start, Math.min(reader.at, start + 64)));
    },
    finish: () => bytesOf(into),
  };
}

function areNatural(values: Float64Array, count: number): boolean {
  for (let at = 0; at < count; at += 1) if ((values[at] ?? 0) < 0) return false;
  return true;
}

/** False when a number was so large that it has become an infinity. */
function areFinite(values: Float32Array, from: number, count: number): boolean {
  for (let at = from; at < from + count; at += 1)
    if (!Number.isFinite(values[at] ?? 0)) return false;
  return true;
}

/** Infinities and NaN come as words; a number so large that it would become one is refused. */
function floatSink(head: TensorHead, into: Float32Array | Float64Array): Sink {
  return {
    take: (reader, index) => {
      reader.peek();
      const start = reader.at;
      const value = numberAt(reader, head, index);
      into[index] = value;
      const got = into[index];
      if (got === Infinity || got === -Infinity) {
        const text = reader.slice(start, Math.min(reader.at, start + 64));
        if (!text.endsWith("Infinity")) refuseValue(head, index, text);
      }
    },
    takeMany: (reader, index) =>
      into instanceof Float64Array
        ? reader.numbers(into, index)
        : takeRun(reader, into.length - index, (values, count) => {
            for (let at = 0; at < count; at += 1) into[index + at] = values[at] ?? 0;
            return areFinite(into, index, count);
          }),
    finish: () => bytesOf(into),
  };
}

function boolSink(head: TensorHead, count: number): Sink {
  const into = new Uint8Array(count);
  return {
    take: (reader, index) => {
      const byte = reader.peek();
      if (byte !== 0x74 && byte !== 0x66) refuseOther(reader, head, index);
      into[index] = reader.literal() === "true" ? 1 : 0;
    },
    finish: () => into,
  };
}

function textSink(head: TensorHead, count: number, readItem?: ItemReader): Sink {
  const parts: Uint8Array[] = [];
  const textAt = (reader: JsonReader, index: number): Uint8Array => {
    if (reader.peek() !== QUOTE) refuseOther(reader, head, index);
    const text = reader.string();
    if (!text.isWellFormed()) refuseValue(head, index, "text with half a surrogate pair");
    return Buffer.from(text, "utf8");
  };
  return {
    take: (reader, index) => {
      const isObject = readItem !== undefined && reader.peek() === OBJECT;
      const item = isObject ? readItem(reader, head) : textAt(reader, index);
      const length = Buffer.allocUnsafe(4);
      length.writeUInt32LE(item.byteLength);
      parts.push(length, item);
    },
    finish: () => (count === 0 ? new Uint8Array(0) : Buffer.concat(parts)),
  };
}
