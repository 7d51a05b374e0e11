import type { RandomReader } from "../../../ground/bytes/index.ts";
import type { StatedTensor } from "../contracts.ts";

/** Bytes that are no parameters of MXNet. */
export class ParamsError extends Error {}

const LIST_MAGIC = 0x112;
const MAX_ARRAYS = 100_000;
const MAX_AXES = 32;
const MAX_NAME_BYTES = 4096;
const ARRAY_V1 = 0xf993fac8;
const ARRAY_V2 = 0xf993fac9;
const ARRAY_V3 = 0xf993faca;
/** mshadow's type flags. */
const TYPES: readonly { readonly name: string; readonly bytes: number }[] = [
  { name: "FP32", bytes: 4 },
  { name: "FP64", bytes: 8 },
  { name: "FP16", bytes: 2 },
  { name: "UINT8", bytes: 1 },
  { name: "INT32", bytes: 4 },
  { name: "INT8", bytes: 1 },
  { name: "INT64", bytes: 8 },
];

/** Names and shapes of a `.params` file; the numbers are passed over. @throws ParamsError @see mxnet, src/ndarray/ndarray.cc, NDArray::Load */
export function readParams(reader: RandomReader): readonly StatedTensor[] {
  const cursor = new Cursor(reader);
  if (cursor.u64() !== LIST_MAGIC) throw new ParamsError("it has no list of arrays");
  cursor.skip(8);
  const count = cursor.count(MAX_ARRAYS);
  const arrays = Array.from({ length: count }, () => readArray(cursor));
  const names = cursor.count(MAX_ARRAYS);
  if (names !== 0 && names !== count) throw new ParamsError(`${count} arrays have ${names} names`);
  return arrays.map((array, index) => ({
    ...array,
    name: names === 0 ? String(index) : cursor.text(),
  }));
}

function readArray(cursor: Cursor): Omit<StatedTensor, "name"> {
  const magic = cursor.u32();
  if (magic === ARRAY_V2 || magic === ARRAY_V3) {
    if (cursor.u32() > 0) throw new ParamsError("it has sparse arrays");
    return readBody(cursor, cursor.shape(8));
  }
  // Before version 1 the number of axes stands where the magic number does.
  return readBody(cursor, magic === ARRAY_V1 ? cursor.shape(8) : cursor.axes(magic, 4));
}

function readBody(cursor: Cursor, shape: readonly number[]): Omit<StatedTensor, "name"> {
  if (shape.length === 0) return { shape };
  cursor.skip(8); // device
  const flag = cursor.u32();
  const type = TYPES[flag];
  if (type === undefined) throw new ParamsError(`an array has type ${flag}`);
  cursor.skip(shape.reduce((product, axis) => product * axis, type.bytes));
  return { datatype: type.name, shape };
}

class Cursor {
  readonly #reader: RandomReader;
  #at = 0;

  constructor(reader: RandomReader) {
    this.#reader = reader;
  }

  u32(): number {
    return this.#take(4).readUInt32LE(0);
  }

  u64(): number {
    const value = Number(this.#take(8).readBigUInt64LE(0));
    if (!Number.isSafeInteger(value)) throw new ParamsError(`a length is ${value}`);
    return value;
  }

  count(most: number): number {
    const count = this.u64();
    if (count > most) throw new ParamsError(`it states ${count} arrays`);
    return count;
  }

  shape(width: 4 | 8): readonly number[] {
    return this.axes(this.u32(), width);
  }

  axes(count: number, width: 4 | 8): readonly number[] {
    if (count > MAX_AXES) throw new ParamsError(`an array has ${count} axes`);
    return Array.from({ length: count }, () => (width === 8 ? this.u64() : this.u32()));
  }

  text(): string {
    const length = this.u64();
    if (length > MAX_NAME_BYTES) throw new ParamsError(`a name has ${length} bytes`);
    return this.#take(length).toString("utf8");
  }

  skip(count: number): void {
    this.#at += count;
    if (this.#at > this.#reader.size) throw new ParamsError("it is truncated");
  }

  #take(count: number): Buffer {
    const bytes = Buffer.from(this.#reader.at(this.#at, count));
    this.skip(count);
    return bytes;
  }
}
