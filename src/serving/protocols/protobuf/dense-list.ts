import type { Tensor } from "../../../models/tensor/index.ts";
import { ITEM, VALUE } from "./value.ts";
import type { WireReader } from "../../../ground/wire/index.ts";

const MAX_AXES = 32;
const FIRST_CAPACITY = 64;
/** Larger scratch space is let go after use. */
const MAX_KEPT = 1 << 20;
/** An item of a list that is a number: the item's tag and length, and the number's tag; the double follows. */
const NUMBER_ITEM: readonly number[] = [ITEM, 9, VALUE.number];
const NUMBER_ITEM_BYTES = NUMBER_ITEM.length + 8;

/**
 * Reads a `ListValue` of numbers (FP64) or of booleans (BOOL), nested or not, straight into a typed array: no object per number.
 * Keeps its scratch space, so one object serves many requests, one after the other.
 */
export class DenseListReader {
  #values = new Float64Array(FIRST_CAPACITY);
  #count = 0;
  #axes: number[] = [];
  #leafDepth = -1;
  #isBool = false;

  /**
   * Reads the list that the reader is inside of. Undefined when it is ragged, nested too deep or holds anything else; the reader is
   * anywhere inside then.
   * @throws WireError
   */
  read(reader: WireReader): Tensor | undefined {
    this.#count = 0;
    this.#axes = [];
    this.#leafDepth = -1;
    this.#isBool = false;
    const tensor = this.#row(reader, 0) ? this.#tensor() : undefined;
    if (this.#values.length > MAX_KEPT) this.#values = new Float64Array(FIRST_CAPACITY);
    return tensor;
  }

  #row(reader: WireReader, depth: number): boolean {
    if (depth >= MAX_AXES) return false;
    let length = 0;
    while (reader.at < reader.end) {
      if (reader.matches(NUMBER_ITEM, NUMBER_ITEM_BYTES)) {
        if (!this.#leaf(depth, reader.doubleAt(NUMBER_ITEM.length), false)) return false;
        reader.at += NUMBER_ITEM_BYTES;
      } else if (reader.tag() !== ITEM || !this.#item(reader, depth)) return false;
      length += 1;
    }
    return this.#closeRow(depth, length);
  }

  #item(reader: WireReader, depth: number): boolean {
    const outer = reader.enter();
    const tag = reader.tag();
    let isDense: boolean;
    if (tag === VALUE.number) isDense = this.#leaf(depth, reader.double(), false);
    else if (tag === VALUE.bool) isDense = this.#leaf(depth, Number(reader.bool()), true);
    else if (tag === VALUE.list && this.#leafDepth !== depth) {
      const around = reader.enter();
      isDense = this.#row(reader, depth + 1);
      reader.leave(around);
    } else return false;
    if (reader.at !== reader.end) return false; // a value set twice
    reader.leave(outer);
    return isDense;
  }

  #leaf(depth: number, value: number, isBool: boolean): boolean {
    if (this.#leafDepth !== depth) {
      if (this.#leafDepth !== -1 || this.#axes.length > depth + 1) return false;
      this.#leafDepth = depth;
    }
    if (this.#count === 0) this.#isBool = isBool;
    else if (this.#isBool !== isBool) return false;
    if (this.#count === this.#values.length) this.#grow();
    this.#values[this.#count] = value;
    this.#count += 1;
    return true;
  }

  #grow(): void {
    const wider = new Float64Array(this.#values.length * 4);
    wider.set(this.#values);
    this.#values = wider;
  }

  #closeRow(depth: number, length: number): boolean {
    const known = this.#axes[depth] ?? -1;
    if (known !== -1) return known === length;
    while (this.#axes.length < depth) this.#axes.push(-1); // outer rows end later
    this.#axes[depth] = length;
    return true;
  }

  #tensor(): Tensor {
    const values = this.#values.subarray(0, this.#count);
    if (this.#isBool)
      return { name: "", datatype: "BOOL", shape: this.#axes, data: Buffer.from(values) };
    const data = Buffer.allocUnsafe(this.#count * 8); // 8-byte aligned, also inside the pool
    new Float64Array(data.buffer, data.byteOffset, this.#count).set(values);
    return { name: "", datatype: "FP64", shape: this.#axes, data };
  }
}
