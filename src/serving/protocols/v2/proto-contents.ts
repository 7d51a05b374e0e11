import {
  byteItems,
  bytesOf,
  elementsOf,
  shapeText,
  type Datatype,
} from "../../../models/tensor/index.ts";
import { WireReader, type WireWriter } from "../../../ground/wire/index.ts";
import { tensorInvalid } from "../request-errors.ts";
import { checkRawData, countElements, type TensorHead } from "./tensor-size.ts";

/** Field of `InferTensorContents` for each datatype; half floats have none. */
const FIELDS: Readonly<Record<Datatype, number | undefined>> = {
  BOOL: 1,
  INT8: 2,
  INT16: 2,
  INT32: 2,
  INT64: 3,
  UINT8: 4,
  UINT16: 4,
  UINT32: 4,
  UINT64: 5,
  FP16: undefined,
  BF16: undefined,
  FP32: 6,
  FP64: 7,
  BYTES: 8,
};
const BYTES_TAG = (8 << 3) | 2;

type Values =
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/** True for datatypes that only raw bytes carry. */
export function isRawOnly(datatype: Datatype): boolean {
  return FIELDS[datatype] === undefined;
}

/**
 * The data of a tensor from its typed contents, packed or not.
 * @param contents - the message `InferTensorContents`
 * @throws InferenceError `TENSOR_INVALID`; WireError
 */
export function readContents(head: TensorHead, contents: Buffer): Uint8Array {
  const { name, datatype, shape } = head;
  const values = VALUES[datatype];
  if (values === undefined && datatype !== "BYTES")
    throw tensorInvalid({
      tensor: name,
      why: `${datatype} has no typed contents`,
      hint: "send it in raw_input_contents",
    });
  const count = countElements(name, shape);
  if (count > contents.byteLength) throw miscounted(head, count, "fewer");
  const data =
    values === undefined
      ? readItems(head, contents)
      : new NumberReader(head, values(count)).read(contents);
  checkRawData(head, data);
  return data;
}

function miscounted({ name, shape }: TensorHead, count: number, how: string): Error {
  return tensorInvalid({
    tensor: name,
    why: `its contents have ${how} values than the ${count} of shape ${shapeText(shape)}`,
    expected: `${count} values`,
  });
}

function misplaced({ name, datatype }: TensorHead): Error {
  return tensorInvalid({
    tensor: name,
    why: `its contents are not in the field of ${datatype}`,
    expected: datatype,
  });
}

function readItems(head: TensorHead, contents: Buffer): Uint8Array {
  const reader = new WireReader(contents);
  const parts: Buffer[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag !== BYTES_TAG) throw misplaced(head);
    const item = reader.bytes();
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32LE(item.byteLength);
    parts.push(length, item);
  }
  return Buffer.concat(parts);
}

const VALUES: Readonly<Partial<Record<Datatype, (count: number) => Values>>> = {
  BOOL: (count) => new Uint8Array(count),
  INT8: (count) => new Int8Array(count),
  INT16: (count) => new Int16Array(count),
  INT32: (count) => new Int32Array(count),
  INT64: (count) => new BigInt64Array(count),
  UINT8: (count) => new Uint8Array(count),
  UINT16: (count) => new Uint16Array(count),
  UINT32: (count) => new Uint32Array(count),
  UINT64: (count) => new BigUint64Array(count),
  FP32: (count) => new Float32Array(count),
  FP64: (count) => new Float64Array(count),
};

class NumberReader {
  readonly #head: TensorHead;
  readonly #into: Values;
  #at = 0;

  constructor(head: TensorHead, into: Values) {
    this.#head = head;
    this.#into = into;
  }

  read(contents: Buffer): Uint8Array {
    const reader = new WireReader(contents);
    const field = FIELDS[this.#head.datatype] ?? 0;
    const single = (field << 3) | (field === 6 ? 5 : field === 7 ? 1 : 0);
    const packed = (field << 3) | 2;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === single) this.#take(reader);
      else if (tag === packed) {
        const outer = reader.enter();
        while (reader.at < reader.end) this.#take(reader);
        reader.leave(outer);
      } else throw misplaced(this.#head);
    }
    if (this.#at !== this.#into.length) throw miscounted(this.#head, this.#into.length, "fewer");
    return bytesOf(this.#into);
  }

  #take(reader: WireReader): void {
    const into = this.#into;
    const at = this.#at;
    if (at === into.length) throw miscounted(this.#head, into.length, "more");
    if (into instanceof Float32Array) into[at] = reader.float();
    else if (into instanceof Float64Array) into[at] = reader.double();
    else if (into instanceof BigInt64Array) into[at] = reader.int64();
    else if (into instanceof BigUint64Array) into[at] = BigInt.asUintN(64, reader.int64());
    else this.#takeSmall(reader, into);
    this.#at += 1;
  }

  #takeSmall(
    reader: WireReader,
    into: Exclude<Values, Float32Array | Float64Array | BigInt64Array | BigUint64Array>,
  ): void {
    const { name, datatype } = this.#head;
    const value = Number(reader.int64());
    into[this.#at] = value;
    if (into[this.#at] !== value)
      throw tensorInvalid({
        tensor: name,
        why: `element ${this.#at} is ${value}, which is no ${datatype}`,
        expected: datatype,
        actual: String(value),
      });
  }
}

/** Writes the typed contents of a tensor as the message of field `tag`. */
export function writeContents(
  writer: WireWriter,
  tag: number,
  { datatype, data }: WrittenTensor,
): void {
  const from = writer.size;
  const field = FIELDS[datatype] ?? 0;
  if (datatype === "BYTES")
    for (const item of byteItems(data).toReversed()) writer.bytes(BYTES_TAG, item);
  else {
    const elements = elementsOf({ name: "", datatype, data });
    const inner = writer.size;
    if (field === 6 || field === 7) writer.raw(data);
    else for (let at = elements.length - 1; at >= 0; at -= 1) writer.varint(elements[at] ?? 0);
    writer.close((field << 3) | 2, inner);
  }
  writer.close(tag, from);
}

/** What `writeContents` looks at. */
export interface WrittenTensor {
  readonly datatype: Datatype;
  readonly data: Uint8Array;
}
