import {
  elementsOf,
  fromBrain,
  fromHalf,
  type NumberArray,
  type Tensor,
} from "../../../models/tensor/index.ts";
import { stringText } from "./json-node.ts";
import { pythonFloat } from "../../plane/index.ts";

/** Nested lists, or one flat list in row-major order. */
export type ArrayForm = "nested" | "flat";

/** From this many elements on, text is written into bytes instead of joined from strings. */
const FEW = 256;
/** Longest text of one element, with the brackets around it left out. */
const LONGEST = 26;
const MAX_AXES = 32;

interface Job {
  readonly shape: readonly number[];
  readonly form: ArrayForm;
}

/**
 * A tensor as JSON, numbers as Python writes them; NaN and infinities as bare words. ASCII only.
 * @returns text when there are few elements, else its bytes.
 */
export function arrayText(tensor: Tensor, form: ArrayForm, asciiOnly = true): string | Buffer {
  const job = { shape: tensor.shape, form };
  if (tensor.datatype === "BYTES") return layOut(job, itemTexts(tensor, asciiOnly));
  const elements = elementsOf(tensor);
  if (elements.length <= FEW && rowsOf(tensor.shape) <= FEW)
    return layOut(job, elementTexts(tensor, elements));
  return new ArrayWriter(tensor, elements).write(job);
}

/** Bytes that a tensor's text takes, roughly and at least: an axis of length 0 leaves the brackets of those before it. */
export function leastTextBytes({ shape, data }: Pick<Tensor, "shape" | "data">): number {
  return data.byteLength + 2 * rowsOf(shape);
}

/** Rows of the last axis, whatever its own length is. */
function rowsOf(shape: readonly number[]): number {
  return shape.slice(0, -1).reduce((count, length) => count * length, 1);
}

function elementTexts({ datatype }: Tensor, elements: NumberArray): readonly string[] {
  const texts: string[] = [];
  for (const element of elements) texts.push(elementText(datatype, element));
  return texts;
}

function elementText(datatype: Tensor["datatype"], element: number | bigint): string {
  if (datatype === "FP64" || datatype === "FP32") return pythonFloat(Number(element));
  if (datatype === "FP16") return pythonFloat(fromHalf(Number(element)));
  if (datatype === "BF16") return pythonFloat(fromBrain(Number(element)));
  return datatype === "BOOL" ? String(element !== 0) : String(element);
}

function itemTexts({ data }: Tensor, asciiOnly: boolean): readonly string[] {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const texts: string[] = [];
  for (let at = 0; at + 4 <= bytes.byteLength;) {
    const size = bytes.readUInt32LE(at);
    texts.push(stringText(bytes.toString("utf8", at + 4, at + 4 + size), asciiOnly));
    at += 4 + size;
  }
  return texts;
}

/** Texts of elements, in row-major order, as nested lists of a shape; the only one as it is for the shape `[]`. */
export function nestTexts(shape: readonly number[], texts: readonly string[]): string {
  return layOut({ shape, form: "nested" }, texts);
}

function layOut({ shape, form }: Job, texts: readonly string[]): string {
  if (form === "flat") return `[${texts.join(",")}]`;
  let at = 0;
  const row = (depth: number): string => {
    const length = shape[depth];
    if (length === undefined) return texts[at++] ?? "null";
    if (depth === shape.length - 1) {
      at += length;
      return `[${texts.slice(at - length, at).join(",")}]`;
    }
    return `[${Array.from({ length }, () => row(depth + 1)).join(",")}]`;
  };
  return row(0);
}

/** Writes many elements as ASCII bytes. */
class ArrayWriter {
  readonly #datatype: Tensor["datatype"];
  readonly #elements: NumberArray;
  #bytes: Buffer;
  #at = 0;
  #next = 0;

  constructor(tensor: Tensor, elements: NumberArray) {
    this.#datatype = tensor.datatype;
    this.#elements = elements;
    this.#bytes = Buffer.allocUnsafeSlow(elements.length * 10 + 64);
  }

  write({ shape, form }: Job): Buffer {
    this.#row(form === "flat" ? [this.#elements.length] : shape, 0);
    return this.#bytes.subarray(0, this.#at);
  }

  #row(shape: readonly number[], depth: number): void {
    this.#bytes[this.#at++] = 0x5b;
    const length = shape[depth] ?? 0;
    if (depth === shape.length - 1) this.#leaves(length);
    else {
      for (let index = 0; index < length; index += 1) {
        this.#reserve(2 * MAX_AXES);
        if (index > 0) this.#bytes[this.#at++] = 0x2c;
        this.#row(shape, depth + 1);
      }
    }
    this.#reserve(2 * MAX_AXES);
    this.#bytes[this.#at++] = 0x5d;
  }

  #leaves(length: number): void {
    const isDouble =
      this.#elements instanceof Float64Array || this.#elements instanceof Float32Array;
    for (let index = 0; index < length; index += 1) {
      this.#reserve(LONGEST + 2 * MAX_AXES);
      if (index > 0) this.#bytes[this.#at++] = 0x2c;
      const element = this.#elements[this.#next++] ?? 0;
      if (isDouble) this.#double(element as number); // the check above
      else if (this.#datatype === "FP16" || this.#datatype === "BF16" || this.#datatype === "BOOL")
        this.#text(elementText(this.#datatype, element));
      else this.#whole(element);
    }
  }

  /**
   * The shortest text that reads back as the same double. When `n / 1e6` gives the double back and n has at most 15 digits,
   * n's digits are that text: two numbers of at most 15 digits are never the same double.
   */
  #double(value: number): void {
    const millionths = Math.round(value * 1e6);
    const size = Math.abs(millionths);
    if (size >= 100 && size < 1e15 && millionths / 1e6 === value) this.#decimal(value < 0, size);
    else this.#text(pythonFloat(value));
  }

  #decimal(isNegative: boolean, millionths: number): void {
    if (isNegative) this.#bytes[this.#at++] = 0x2d;
    const whole = Math.floor(millionths / 1e6);
    this.#digits(whole);
    this.#bytes[this.#at++] = 0x2e;
    let fraction = millionths - whole * 1e6;
    let places = 6;
    while (places > 1 && fraction % 10 === 0) {
      fraction /= 10;
      places -= 1;
    }
    for (let at = this.#at + places - 1; at >= this.#at; at -= 1) {
      this.#bytes[at] = 0x30 + (fraction % 10);
      fraction = (fraction / 10) | 0;
    }
    this.#at += places;
  }

  #whole(element: number | bigint): void {
    const value = typeof element === "bigint" ? Number(element) : element;
    if (!Number.isSafeInteger(value)) {
      this.#text(String(element));
      return;
    }
    if (value < 0) this.#bytes[this.#at++] = 0x2d;
    this.#digits(Math.abs(value));
  }

  #digits(value: number): void {
    let size = 1;
    for (let bound = 10; bound <= value; bound *= 10) size += 1;
    let rest = value;
    for (let at = this.#at + size - 1; at >= this.#at; at -= 1) {
      const next = Math.floor(rest / 10);
      this.#bytes[at] = 0x30 + (rest - next * 10);
      rest = next;
    }
    this.#at += size;
  }

  #text(text: string): void {
    for (let index = 0; index < text.length; index += 1)
      this.#bytes[this.#at++] = text.charCodeAt(index);
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.byteLength) return;
    const wider = Buffer.allocUnsafeSlow(this.#bytes.byteLength * 2 + count);
    this.#bytes.copy(wider, 0, 0, this.#at);
    this.#bytes = wider;
  }
}
