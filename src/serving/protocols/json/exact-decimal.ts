/** 10^0 to 10^44 as sums of two doubles, which hold them exactly: 5^44 has 103 bits. */
const HIGH: Float64Array = new Float64Array(45);
const LOW: Float64Array = new Float64Array(45);
for (let power = 0n; power < 45n; power += 1n) {
  const exact = 10n ** power;
  const high = Number(exact);
  HIGH[Number(power)] = high;
  LOW[Number(power)] = Number(exact - BigInt(high));
}

/** Cuts a double into two halves of 26 bits, whose products are exact. */
const SPLITTER = 134_217_729;
/** Above the error of the quotient, relative to it, and far below what rounds a double. */
const DOUBT: number = 2 ** -97;

/** Largest power of ten that a double holds exactly. */
const EXACT_POWER = 22;

/**
 * The double nearest to `(head * 10^tailDigits + tail) * 10^exponent`, ties to even; NaN where that is not certain, which is rare, or
 * where the exponent is beyond -44 to 22.
 * @param head - whole, below 10^9
 * @param tail - whole, below `10^tailDigits`
 * @param tailDigits - 0 to 9
 */
export function exactDecimal(
  head: number,
  tail: number,
  tailDigits: number,
  exponent: number,
): number {
  const whole = head * (HIGH[tailDigits] ?? 1);
  if (tailDigits <= 6 && exponent >= -EXACT_POWER && exponent <= EXACT_POWER) {
    const mantissa = whole + tail; // below 10^15, so all of it is exact but the last step
    return exponent < 0 ? mantissa / (HIGH[-exponent] ?? 1) : mantissa * (HIGH[exponent] ?? 1);
  }
  return exponent <= 0 && exponent >= -44 && head > 0
    ? longQuotient(head, tail, tailDigits, -exponent)
    : Number.NaN;
}

/**
 * By a quotient of two doubles and the quotient of its remainder, which have twice the bits together; the result counts only if both ends of
 * what is in doubt round to the same double.
 * @see Dekker, A floating-point technique for extending the available precision (1971)
 */
function longQuotient(head: number, tail: number, tailDigits: number, power: number): number {
  const scale = HIGH[tailDigits] ?? 1;
  const product = head * scale; // below 10^18
  const productRest = productError(head, scale, product);
  const high = product + tail;
  const carried = high - product;
  const low = productRest + (product - (high - carried) + (tail - carried)); // whole and small, so exact
  const divisor = HIGH[power] ?? 1;
  const quotient = high / divisor;
  const back = quotient * divisor;
  const rest =
    high - back - productError(quotient, divisor, back) + low - quotient * (LOW[power] ?? 0);
  const more = rest / divisor;
  const doubt = quotient * DOUBT;
  const value = quotient + (more + doubt);
  return value === quotient + (more - doubt) ? value : Number.NaN;
}

/** What `a * b` lost when it was rounded to `product`. */
function productError(a: number, b: number, product: number): number {
  const cutA = SPLITTER * a;
  const highA = cutA - (cutA - a);
  const lowA = a - highA;
  const cutB = SPLITTER * b;
  const highB = cutB - (cutB - b);
  const lowB = b - highB;
  return lowA * lowB - (product - highA * highB - lowA * highB - highA * lowB);
}
