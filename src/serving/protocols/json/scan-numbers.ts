import { exactDecimal } from "./exact-decimal.ts";

const POINT = 0x2e;
const COMMA = 0x2c;
const MINUS = 0x2d;
const PLUS = 0x2b;
const ZERO = 0x30;
const NINE = 0x39;
/** Digits that one 32-bit integer takes. */
const HALF = 9;
/** Longer integers may not be exact as doubles. */
const SAFE_DIGITS = 15;
const MAX_POWER = 1000;

/**
 * Takes plain numbers with commas and white space between them, as they stand inside a JSON array, a few nanoseconds each. It stops, without
 * harm, before anything else: integers of more than 15 digits, numbers of more than 18 digits, exponents far from zero, words, brackets, and
 * what is no JSON. Whoever calls takes such a value another way.
 */
export class NumberScanner {
  /** About the last scan: behind the last number that was taken; where the scan began when there was none. */
  at = 0;
  /** About the last scan: one of the numbers had a fraction or an exponent. */
  hasFloat = false;
  #bytes: Uint8Array = new Uint8Array(0);
  #next = 0;
  #head = 0;
  #tail = 0;
  #digits = 0;
  #point = -1;
  #isFloat = false;

  /** Puts the nearest doubles into `into` from `from` on, as long as there is room. @returns how many */
  scan(bytes: Uint8Array, start: number, into: Float64Array, from: number): number {
    this.#bytes = bytes;
    this.#next = start;
    this.at = start;
    this.hasFloat = false;
    let index = from;
    while (index < into.length) {
      const value = this.#number(skipSpace(bytes, this.#next));
      if (Number.isNaN(value)) break;
      into[index] = value;
      index += 1;
      this.hasFloat ||= this.#isFloat;
      this.at = this.#next;
      const behind = skipSpace(bytes, this.#next);
      if (bytes[behind] !== COMMA) break;
      this.#next = behind + 1;
    }
    return index - from;
  }

  /** The number at a place; `#next` stands behind it then. NaN for what is not taken. */
  #number(start: number): number {
    const bytes = this.#bytes;
    const isNegative = bytes[start] === MINUS;
    const first = isNegative ? start + 1 : start;
    const end = this.#takeDigits(first);
    const fraction = this.#fractionDigits(first, end);
    if (fraction < 0) return Number.NaN;
    this.#next = end;
    const power = (bytes[end] ?? 0) > NINE ? this.#takePower(end) : 0; // letters and brackets, no comma
    const digits = this.#digits;
    if (power === MAX_POWER || (!this.#isFloat && digits > SAFE_DIGITS)) return Number.NaN;
    const tailDigits = digits > HALF ? digits - HALF : 0;
    const value = exactDecimal(this.#head, this.#tail, tailDigits, power - fraction);
    return isNegative && (this.#isFloat || value !== 0) ? -value : value;
  }

  /** Digits behind the point of the number between two places; -1 for what is no number, or none that is taken. */
  #fractionDigits(first: number, end: number): number {
    const point = this.#point;
    const whole = (point < 0 ? end : point) - first;
    const isWrong = whole === 0 || (whole > 1 && this.#bytes[first] === ZERO);
    if (isWrong || this.#digits > 2 * HALF) return -1;
    this.#isFloat = point >= 0;
    if (point < 0) return 0;
    return end - point - 1 || -1;
  }

  /** Takes digits with at most one point among them. @returns the place behind */
  #takeDigits(first: number): number {
    const bytes = this.#bytes;
    let at = first;
    let head = 0;
    let tail = 0;
    let digits = 0;
    let point = -1;
    for (;;) {
      const byte = bytes[at] ?? 0;
      if (byte >= ZERO && byte <= NINE) {
        if (digits < HALF) head = (head * 10 + (byte - ZERO)) | 0;
        else tail = (tail * 10 + (byte - ZERO)) | 0;
        if (head !== 0) digits += 1; // zeros in front say nothing
      } else if (byte === POINT && point < 0) point = at;
      else break;
      at += 1;
    }
    this.#head = head;
    this.#tail = tail;
    this.#digits = digits;
    this.#point = point;
    return at;
  }

  /** The exponent at a place, 0 where there is none, `MAX_POWER` for one that is not taken. */
  #takePower(start: number): number {
    const bytes = this.#bytes;
    if (((bytes[start] ?? 0) | 0x20) !== 0x65) return 0;
    const sign = bytes[start + 1];
    let at = sign === MINUS || sign === PLUS ? start + 2 : start + 1;
    const first = at;
    let power = 0;
    for (let byte = bytes[at] ?? 0; byte >= ZERO && byte <= NINE; byte = bytes[at] ?? 0) {
      power = Math.min(power * 10 + (byte - ZERO), MAX_POWER);
      at += 1;
    }
    if (at === first) return MAX_POWER;
    this.#next = at;
    this.#isFloat = true;
    return sign === MINUS && power < MAX_POWER ? -power : power;
  }
}

function skipSpace(bytes: Uint8Array, start: number): number {
  let at = start;
  let byte = bytes[at] ?? 0;
  while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++at] ?? 0;
  return at;
}
