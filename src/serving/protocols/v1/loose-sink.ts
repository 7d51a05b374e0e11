import { bytesOf, type Datatype } from "../../../models/tensor/index.ts";
import { writeWide, type JsonReader } from "../json/index.ts";
import { packItems } from "../../plane/index.ts";
import { tensorInvalid } from "../request-errors.ts";
import { readBase64Item } from "./base64-item.ts";

const OBJECT = 0x7b;
const QUOTE = 0x22;
const FIRST_CAPACITY = 64;
/** No 64-bit integer has more characters, and longer ones would take long to read. */
const LONGEST_INTEGER = 20;

/** Data with the datatype that its values show. */
export interface LooseData {
  readonly datatype: Datatype;
  readonly data: Uint8Array;
}

/**
 * Takes values for a model that says no datatypes: whole numbers become `INT64`, numbers of which one has a fraction or an exponent
 * `FP64`, booleans `BOOL`, text and base64 `BYTES`. Values of two kinds are refused.
 */
export class LooseSink {
  readonly #name: string;
  #numbers = new Float64Array(FIRST_CAPACITY);
  #count = 0;
  /** Whole numbers that a double does not hold; absent for those that no 64 bits hold either. */
  readonly #bigs: [at: number, index: number, value: bigint | undefined][] = [];
  readonly #booleans: number[] = [];
  readonly #items: Uint8Array[] = [];
  #hasFraction = false;

  constructor(name: string) {
    this.#name = name;
  }

  /** @throws InferenceError `TENSOR_INVALID` */
  take(reader: JsonReader, index: number): void {
    const byte = reader.peek();
    if (byte === QUOTE) this.#items.push(this.#text(reader, index));
    else if (byte === OBJECT) this.#items.push(readBase64Item(reader, { name: this.#name }));
    else if (byte === 0x74 || byte === 0x66)
      this.#booleans.push(Number(reader.literal() === "true"));
    else if (byte === 0x5b || byte === 0x6e)
      this.#refuse(`element ${index} is ${byte === 0x5b ? "a list" : "null"}, and no value`);
    else this.#takeNumber(reader, index);
  }

  /** Takes the plain numbers that lie here. @returns how many */
  takeMany(reader: JsonReader, _index: number): number {
    this.#makeRoom();
    const taken = reader.numbers(this.#numbers, this.#count);
    this.#count += taken;
    this.#hasFraction ||= reader.isFloat;
    return taken;
  }

  /** @throws InferenceError `TENSOR_INVALID` for values of two kinds, and for whole numbers beyond 64 bits */
  finish(): LooseData {
    const kinds = [this.#count, this.#booleans.length, this.#items.length];
    if (kinds.filter((length) => length > 0).length > 1)
      this.#refuse("it mixes numbers, booleans and text");
    if (this.#items.length > 0) return { datatype: "BYTES", data: packItems(this.#items) };
    if (this.#booleans.length > 0)
      return { datatype: "BOOL", data: Uint8Array.from(this.#booleans) };
    if (this.#hasFraction || this.#count === 0)
      return { datatype: "FP64", data: bytesOf(this.#numbers.slice(0, this.#count)) };
    return { datatype: "INT64", data: this.#wholeNumbers() };
  }

  #text(reader: JsonReader, index: number): Uint8Array {
    const text = reader.string();
    if (!text.isWellFormed()) this.#refuse(`element ${index} has half a surrogate pair`);
    return Buffer.from(text, "utf8");
  }

  #takeNumber(reader: JsonReader, index: number): void {
    const start = reader.at;
    const value = reader.number();
    this.#hasFraction ||= reader.isFloat;
    if (reader.isBig) {
      const isShort = reader.at - start <= LONGEST_INTEGER;
      const whole = isShort ? BigInt(reader.slice(start, reader.at)) : undefined;
      this.#bigs.push([this.#count, index, whole]);
    }
    this.#makeRoom();
    this.#numbers[this.#count] = value;
    this.#count += 1;
  }

  #makeRoom(): void {
    if (this.#count < this.#numbers.length) return;
    const wider = new Float64Array(this.#numbers.length * 4);
    wider.set(this.#numbers);
    this.#numbers = wider;
  }

  #wholeNumbers(): Uint8Array {
    const data = new BigInt64Array(this.#count);
    writeWide(new Int32Array(data.buffer), 0, this.#numbers, this.#count);
    for (const [at, index, value] of this.#bigs) {
      if (value !== undefined) data[at] = value;
      if (value === undefined || data[at] !== value)
        this.#refuse(`element ${index} is a whole number beyond 64 bits`);
    }
    return bytesOf(data);
  }

  #refuse(why: string): never {
    throw tensorInvalid({ tensor: this.#name, why });
  }
}
