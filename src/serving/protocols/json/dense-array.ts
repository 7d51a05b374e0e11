import type { Tensor } from "../../../models/tensor/index.ts";
import type { JsonReader } from "./json-reader.ts";
import { writeWide } from "./number-run.ts";

const MAX_AXES = 32;
const FIRST_CAPACITY = 64;
const OPEN = 0x5b;
const UNKNOWN = -1;
/** Larger scratch space is let go after use. */
const MAX_KEPT = 1 << 20;

/**
 * Reads JSON arrays of numbers from their bytes straight into typed arrays, as numpy would see them: integers only make INT64, any
 * fraction FP64, booleans only BOOL. Keeps its scratch space, so one object serves many requests, one after the other.
 */
export class DenseArrayReader {
  #values = new Float64Array(FIRST_CAPACITY);
  #count = 0;
  #hasFloat = false;
  #isBool = false;
  #bigs: [index: number, value: bigint][] = [];
  #axes: number[] = [];
  #leafDepth = -1;

  /**
   * Takes the array that begins at the reader's place. Undefined when it is ragged, nested too deep, mixed with anything else, or
   * beyond 64 bits: the reader is where it was then, and only user code's own library can say what such an array is.
   * @throws JsonError
   */
  read(reader: JsonReader): Tensor | undefined {
    const start = reader.at;
    const { depth } = reader;
    this.#count = 0;
    this.#hasFloat = this.#isBool = false;
    this.#leafDepth = -1;
    this.#axes = [];
    if (this.#bigs.length > 0) this.#bigs = [];
    const isDense = this.#row(reader, 0);
    const tensor = isDense ? this.#tensor() : undefined;
    if (this.#values.length > MAX_KEPT) this.#values = new Float64Array(FIRST_CAPACITY);
    if (tensor === undefined) reader.rewind(start, depth);
    return tensor;
  }

  #row(reader: JsonReader, depth: number): boolean {
    if (depth >= MAX_AXES) return false;
    reader.enter(OPEN);
    let length = 0;
    for (let more = reader.firstItem(); more; more = reader.nextItem()) {
      length += 1;
      if (reader.peek() === OPEN) {
        if (this.#leafDepth === depth || !this.#row(reader, depth + 1)) return false;
        continue;
      }
      if (this.#leafDepth !== depth) {
        if (this.#leafDepth !== -1 || this.#axes.length > depth + 1) return false;
        this.#leafDepth = depth;
      }
      const taken = this.#isBool ? 0 : this.#numbers(reader);
      if (taken > 0) length += taken - 1;
      else if (!this.#leaf(reader)) return false;
    }
    return this.#closeRow(depth, length);
  }

  #closeRow(depth: number, length: number): boolean {
    const known = this.#axes[depth] ?? UNKNOWN;
    if (known !== UNKNOWN) return known === length;
    while (this.#axes.length < depth) this.#axes.push(UNKNOWN); // outer rows end later
    this.#axes[depth] = length;
    return true;
  }

  #leaf(reader: JsonReader): boolean {
    const byte = reader.peek();
    if (byte === 0x74 || byte === 0x66) return this.#truth(reader);
    if (byte === 0x22 || byte === 0x7b || byte === 0x6e || this.#isBool) return false;
    const start = reader.at;
    const value = reader.number();
    if (reader.isFloat) this.#hasFloat = true;
    else if (reader.isBig) {
      const exact = BigInt(reader.slice(start, reader.at));
      if (BigInt.asIntN(64, exact) !== exact) return false;
      this.#bigs.push([this.#count, exact]);
    }
    this.#push(value);
    return true;
  }

  #numbers(reader: JsonReader): number {
    if (this.#count === this.#values.length) this.#widen();
    const taken = reader.numbers(this.#values, this.#count);
    if (reader.isFloat) this.#hasFloat = true;
    this.#count += taken;
    return taken;
  }

  #truth(reader: JsonReader): boolean {
    if (this.#count === 0) this.#isBool = true;
    else if (!this.#isBool) return false;
    this.#push(reader.literal() === "true" ? 1 : 0);
    return true;
  }

  #push(value: number): void {
    if (this.#count === this.#values.length) this.#widen();
    this.#values[this.#count] = value;
    this.#count += 1;
  }

  #widen(): void {
    const wider = new Float64Array(this.#values.length * 4);
    wider.set(this.#values);
    this.#values = wider;
  }

  #tensor(): Tensor {
    const count = this.#count;
    const shape = this.#axes;
    if (this.#isBool)
      return {
        name: "",
        datatype: "BOOL",
        shape,
        data: Buffer.from(this.#values.subarray(0, count)),
      };
    const data = Buffer.allocUnsafe(count * 8); // 8-byte aligned, also inside the pool
    if (this.#hasFloat || count === 0) {
      new Float64Array(data.buffer, data.byteOffset, count).set(this.#values.subarray(0, count));
      return { name: "", datatype: "FP64", shape, data };
    }
    this.#writeIntegers(data);
    return { name: "", datatype: "INT64", shape, data };
  }

  #writeIntegers(data: Buffer): void {
    writeWide(
      new Int32Array(data.buffer, data.byteOffset, this.#count * 2),
      0,
      this.#values,
      this.#count,
    );
    for (const [index, value] of this.#bigs) data.writeBigInt64LE(value, index * 8);
  }
}
