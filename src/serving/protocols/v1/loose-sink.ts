import { bytesOf, type Datatype } from "../../../models/tensor/index.ts";
import type { JsonReader } from "../json/index.ts";
import { packItems } from "../../plane/index.ts";
import { tensorInvalid } from "../v2/invalid.ts";
import { readBase64Item } from "./base64-item.ts";

const OBJECT = 0x7b;
const QUOTE = 0x22;

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
  readonly #numbers: (number | bigint)[] = [];
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
    else this.#takeNumber(reader);
  }

  /** @throws InferenceError `TENSOR_INVALID` for values of two kinds, and for whole numbers beyond 64 bits */
  finish(): LooseData {
    const kinds = [this.#numbers, this.#booleans, this.#items].filter(({ length }) => length > 0);
    if (kinds.length > 1) this.#refuse("it mixes numbers, booleans and text");
    if (this.#items.length > 0) return { datatype: "BYTES", data: packItems(this.#items) };
    if (this.#booleans.length > 0)
      return { datatype: "BOOL", data: Uint8Array.from(this.#booleans) };
    if (this.#hasFraction || this.#numbers.length === 0)
      return { datatype: "FP64", data: bytesOf(Float64Array.from(this.#numbers, Number)) };
    return { datatype: "INT64", data: this.#wholeNumbers() };
  }

  #text(reader: JsonReader, index: number): Uint8Array {
    const text = reader.string();
    if (!text.isWellFormed()) this.#refuse(`element ${index} has half a surrogate pair`);
    return Buffer.from(text, "utf8");
  }

  #takeNumber(reader: JsonReader): void {
    const start = reader.at;
    const value = reader.number();
    this.#hasFraction ||= reader.isFloat;
    // no 64-bit integer has more characters, and longer ones would take long to read
    const isExact = reader.isBig && reader.at - start <= 20;
    this.#numbers.push(isExact ? BigInt(reader.slice(start, reader.at)) : value);
  }

  #wholeNumbers(): Uint8Array {
    const data = new BigInt64Array(this.#numbers.length);
    for (const [index, value] of this.#numbers.entries()) {
      const whole =
        typeof value === "bigint" || Number.isSafeInteger(value) ? BigInt(value) : undefined;
      if (whole !== undefined) data[index] = whole;
      if (whole === undefined || data[index] !== whole)
        this.#refuse(`element ${index} is a whole number beyond 64 bits`);
    }
    return bytesOf(data);
  }

  #refuse(why: string): never {
    throw tensorInvalid({ tensor: this.#name, why });
  }
}
