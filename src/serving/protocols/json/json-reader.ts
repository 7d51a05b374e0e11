import { isUtf8 } from "node:buffer";
import { JsonError, MAX_DEPTH, MAX_VALUES } from "./json-error.ts";
import { NumberScanner } from "./scan-numbers.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const POINT = 0x2e;
const COMMA = 0x2c;
const COLON = 0x3a;
const POWERS: Float64Array = Float64Array.from({ length: 23 }, (_, index) => Number(`1e${index}`));
const SHORT_STRING = 48;
/** Python takes no longer integers either: their time would grow with the square of their length. */
const MAX_DIGITS = 4300;
/** Numbers that nobody wants. */
const PASSED = new Float64Array(1024);
const LITERALS: readonly (readonly [first: number, text: string])[] = [
  [0x74, "true"],
  [0x66, "false"],
  [0x6e, "null"],
];

/**
 * A cursor over JSON bytes. Takes what Python's `json` takes: also NaN, Infinity and -Infinity; and no less: UTF-8 only, no
 * control characters inside strings, nothing behind the value. Every method throws JsonError where the bytes are no JSON.
 */
export class JsonReader {
  #bytes: Buffer = Buffer.alloc(0);
  #depth = 0;
  #values = 0;
  #maxValues: number = MAX_VALUES;
  readonly #scanner = new NumberScanner();
  /** Offset of the next byte. */
  at = 0;
  /** About the number read last: it had a fraction or an exponent, or was NaN or an infinity. */
  isFloat = false;
  /** About the number read last: an integer that a double does not hold exactly. */
  isBig = false;

  /** Starts over with other bytes, after a byte order mark if there is one. */
  open(bytes: Buffer): void {
    if (!isUtf8(bytes)) throw new JsonError("not UTF-8", 0);
    this.#bytes = bytes;
    this.#depth = 0;
    this.#values = 0;
    this.at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  }

  /** The next byte that is not white space, without taking it; -1 at the end. */
  peek(): number {
    const bytes = this.#bytes;
    let { at } = this;
    let byte = bytes[at];
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++at];
    this.at = at;
    return byte ?? -1;
  }

  /** Goes back to an offset at which a value began, with the depth that it had there. */
  rewind(at: number, depth: number): void {
    this.at = at;
    this.#depth = depth;
  }

  get depth(): number {
    return this.#depth;
  }

  /** Bytes from here to the end. */
  get left(): number {
    return this.#bytes.byteLength - this.at;
  }

  /** Counts a value that becomes an object. */
  countValue(): void {
    this.#values += 1;
    if (this.#values > this.#maxValues) this.refuse("too many values");
  }

  /** Takes a value that may have so many values inside itself. */
  bounded<T>(maxValues: number, take: () => T): T {
    const before = this.#maxValues;
    this.#maxValues = Math.min(before, this.#values + maxValues);
    try {
      return take();
    } finally {
      this.#maxValues = before;
    }
  }

  fail(why = "unexpected character"): never {
    throw new JsonError(why, this.at);
  }

  /** Refuses what goes over a limit of ours. */
  refuse(why: string): never {
    throw new JsonError(why, this.at, true);
  }

  /** Nothing but white space may follow. */
  finish(): void {
    if (this.peek() !== -1) this.fail("extra data");
  }

  /** Text between two offsets. */
  slice(start: number, end: number): string {
    return this.#bytes.toString("utf8", start, end);
  }

  /** Takes `{` or `[`. */
  enter(bracket: number): void {
    if (this.peek() !== bracket) this.fail();
    this.at += 1;
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.refuse(`nested deeper than ${MAX_DEPTH} levels`);
  }

  /** After `enter`: the first key of an object with its colon taken, or undefined when the object is empty (and taken). */
  firstKey(): string | undefined {
    return this.#isClosedBy(0x7d) ? undefined : this.#key();
  }

  /** After a member: the next key, or undefined when the object has ended. */
  nextKey(): string | undefined {
    if (this.#isClosedBy(0x7d)) return undefined;
    this.#take(COMMA);
    return this.#key();
  }

  /** After `enter`: false when the array is empty (and taken). */
  firstItem(): boolean {
    return !this.#isClosedBy(0x5d);
  }

  /** After an item: false when the array has ended (and is taken). */
  nextItem(): boolean {
    if (this.#isClosedBy(0x5d)) return false;
    this.#take(COMMA);
    return true;
  }

  /** Takes a string and gives its text. */
  string(): string {
    if (this.peek() !== QUOTE) this.fail();
    const start = this.at + 1;
    const isPlain = this.#passString();
    const end = this.at - 1;
    if (isPlain) return this.#bytes.toString("utf8", start, end);
    try {
      return JSON.parse(this.#bytes.toString("utf8", start - 1, end + 1)) as string; // a JSON string, since it begins with a quote
    } catch {
      this.at = start;
      return this.fail("bad string");
    }
  }

  /**
   * Goes behind a string without looking at its escapes and control characters: for texts that are checked in another way.
   * The text lies between the returned offset and the one before `at`.
   */
  passString(): number {
    if (this.peek() !== QUOTE) this.fail();
    const start = this.at + 1;
    this.#passString();
    return start;
  }

  /** The bytes between two offsets, not copied. */
  bytesBetween(start: number, end: number): Buffer {
    return this.#bytes.subarray(start, end);
  }

  /** Takes any value without looking at what it says. */
  skip(): void {
    const byte = this.peek();
    if (byte === QUOTE) {
      const start = this.at;
      if (!this.#passString()) this.#checkString(start);
    } else if (byte === 0x7b) {
      this.enter(0x7b);
      for (let key = this.firstKey(); key !== undefined; key = this.nextKey()) this.skip();
    } else if (byte === 0x5b) {
      this.enter(0x5b);
      for (let more = this.firstItem(); more; more = this.nextItem())
        if (this.numbers(PASSED, 0) === 0) this.skip();
    } else if (!this.literal()) this.number();
  }

  /** Takes `true`, `false` or `null`; undefined when none of them comes. */
  literal(): "true" | "false" | "null" | undefined {
    const byte = this.peek();
    for (const [first, text] of LITERALS) {
      if (byte !== first) continue;
      if (this.#bytes.toString("latin1", this.at, this.at + text.length) !== text) this.fail();
      this.at += text.length;
      return text as "true"; // one of the three
    }
    return undefined;
  }

  /** Takes a number and gives the nearest double; `isFloat` and `isBig` say more. */
  number(): number {
    this.peek();
    const bytes = this.#bytes;
    const start = this.at;
    let at = start;
    let byte = bytes[at] ?? 0;
    const isNegative = byte === 0x2d;
    if (isNegative) byte = bytes[++at] ?? 0;
    if (!isDigit(byte)) return this.#wordNumber(isNegative);
    const isZero = byte === 0x30; // no other digit may follow
    const first = at;
    let mantissa = byte - 0x30;
    byte = bytes[++at] ?? 0;
    while (isDigit(byte) && !isZero) {
      mantissa = mantissa * 10 + (byte - 0x30);
      byte = bytes[++at] ?? 0;
    }
    const digits = isZero ? 0 : at - first;
    return byte === POINT || isExponent(byte)
      ? this.#fraction(at, { mantissa, digits, isNegative })
      : this.#integer(at, { mantissa, digits, isNegative });
  }

  /**
   * Inside an array, where a value may begin: takes numbers and the commas between them, as many as are plain and as there is room for in
   * `into` from `from` on, and stands behind the last one. Who gets 0 takes the value by itself. `isFloat` tells of all of them.
   * @returns how many
   */
  numbers(into: Float64Array, from: number): number {
    const scanner = this.#scanner;
    const count = scanner.scan(this.#bytes, this.at, into, from);
    this.at = scanner.at;
    this.isFloat = scanner.hasFloat;
    this.isBig = false;
    return count;
  }

  #integer(at: number, { mantissa, digits, isNegative }: Scanned): number {
    const start = this.at;
    this.at = at;
    this.isFloat = false;
    this.isBig = false;
    if (digits > 15) {
      this.#checkLength(start);
      const value = Number(this.#bytes.toString("latin1", start, at));
      this.isBig = !Number.isSafeInteger(value);
      return value;
    }
    return isNegative && mantissa !== 0 ? -mantissa : mantissa;
  }

  #fraction(from: number, { mantissa: whole, digits: before, isNegative }: Scanned): number {
    const bytes = this.#bytes;
    const start = this.at;
    let at = from;
    let mantissa = whole;
    let digits = before;
    let exponent = 0;
    let byte = bytes[at] ?? 0;
    if (byte === POINT) {
      const first = at + 1;
      byte = bytes[++at] ?? 0;
      while (isDigit(byte)) {
        mantissa = mantissa * 10 + (byte - 0x30);
        if (mantissa !== 0) digits += 1;
        byte = bytes[++at] ?? 0;
      }
      exponent = first - at;
      if (exponent === 0) this.fail("bad number");
    }
    this.at = at;
    if (isExponent(byte)) exponent += this.#exponent();
    this.isFloat = true;
    this.isBig = false;
    this.#checkLength(start);
    if (digits > 15) return Number(this.#bytes.toString("latin1", start, this.at));
    return (
      scaled(isNegative ? -mantissa : mantissa, exponent) ??
      Number(this.#bytes.toString("latin1", start, this.at))
    );
  }

  #checkLength(start: number): void {
    if (this.at - start > MAX_DIGITS) this.refuse(`a number of more than ${MAX_DIGITS} digits`);
  }

  #exponent(): number {
    const bytes = this.#bytes;
    let at = this.at + 1;
    let byte = bytes[at] ?? 0;
    const isNegative = byte === 0x2d;
    if (isNegative || byte === 0x2b) byte = bytes[++at] ?? 0;
    const first = at;
    let value = 0;
    while (isDigit(byte)) {
      value = Math.min(value * 10 + (byte - 0x30), 100_000);
      byte = bytes[++at] ?? 0;
    }
    if (at === first) this.fail("bad number");
    this.at = at;
    return isNegative ? -value : value;
  }

  #wordNumber(isNegative: boolean): number {
    const start = this.at + (isNegative ? 1 : 0);
    this.isFloat = true;
    this.isBig = false;
    if (this.#bytes.toString("latin1", start, start + 8) === "Infinity") {
      this.at = start + 8;
      return isNegative ? -Infinity : Infinity;
    }
    if (isNegative || this.#bytes.toString("latin1", start, start + 3) !== "NaN") this.fail();
    this.at = start + 3;
    return NaN;
  }

  #isClosedBy(bracket: number): boolean {
    if (this.peek() !== bracket) return false;
    this.at += 1;
    this.#depth -= 1;
    return true;
  }

  #take(byte: number): void {
    if (this.peek() !== byte) this.fail();
    this.at += 1;
  }

  #key(): string {
    const key = this.string();
    this.#take(COLON);
    return key;
  }

  /** Goes behind the string that begins here; true when it is known to have neither escapes nor control characters. */
  #passString(): boolean {
    const bytes = this.#bytes;
    const start = this.at + 1;
    const near = Math.min(bytes.byteLength, start + SHORT_STRING);
    for (let at = start; at < near; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE) {
        this.at = at + 1;
        return true;
      }
      if (byte === BACKSLASH || byte < 0x20) break;
    }
    let end = bytes.indexOf(QUOTE, start);
    while (end > 0 && this.#isEscaped(start, end)) end = bytes.indexOf(QUOTE, end + 1);
    if (end < 0) this.fail("unterminated string");
    this.at = end + 1;
    return false;
  }

  #isEscaped(start: number, quote: number): boolean {
    let at = quote - 1;
    while (at >= start && this.#bytes[at] === BACKSLASH) at -= 1;
    return (quote - 1 - at) % 2 === 1;
  }

  #checkString(start: number): void {
    const end = this.at;
    this.at = start;
    this.string();
    this.at = end;
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isExponent(byte: number): boolean {
  return byte === 0x65 || byte === 0x45;
}

/** Exact: the mantissa fits a double, and so does the power, hence one rounding only. Undefined beyond that. */
function scaled(mantissa: number, exponent: number): number | undefined {
  if (exponent < -22 || exponent > 22) return undefined;
  return exponent < 0 ? mantissa / (POWERS[-exponent] ?? 1) : mantissa * (POWERS[exponent] ?? 1);
}

interface Scanned {
  readonly mantissa: number;
  readonly digits: number;
  readonly isNegative: boolean;
}
