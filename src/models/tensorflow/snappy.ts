import { FormatError } from "./invalid-file.ts";

/** A copy of three bytes gives 64 at most: a block that claims more than this many times its size is no Snappy. */
const MAX_RATIO = 22;

/**
 * Unpacks one Snappy block (not the framed stream format).
 * @throws FormatError for anything else; never gives or takes more memory than 22 times the input.
 * @see google/snappy, format_description.txt
 */
export function inflateSnappy(input: Uint8Array): Buffer {
  const { value: size, next } = lengthOf(input);
  if (size > input.byteLength * MAX_RATIO + 64) throw damaged();
  const output = Buffer.alloc(size);
  let [from, to] = [next, 0];
  while (from < input.byteLength) {
    const tag = input[from] ?? 0;
    const isLiteral = (tag & 3) === 0;
    const { length, value, after } = isLiteral ? literalAt(input, from) : copyAt(input, from);
    if (to + length > size) throw damaged();
    from = isLiteral ? after + length : after;
    if (from > input.byteLength) throw damaged();
    if (isLiteral) output.set(input.subarray(after, from), to);
    else repeat(output, { to, length, distance: value });
    to += length;
  }
  if (to !== size) throw damaged();
  return output;
}

/** Source and target may overlap: that is how runs are written. */
function repeat(
  output: Buffer,
  copy: { readonly to: number; readonly length: number; readonly distance: number },
): void {
  const { to, length, distance } = copy;
  if (distance === 0 || distance > to) throw damaged();
  for (let at = to; at < to + length; at += 1) output[at] = output[at - distance] ?? 0;
}

interface Element {
  readonly length: number;
  /** How far back a copy begins; 0 for literals. */
  readonly value: number;
  readonly after: number;
}

function literalAt(input: Uint8Array, at: number): Element {
  const short = (input[at] ?? 0) >>> 2;
  if (short < 60) return { length: short + 1, value: 0, after: at + 1 };
  const width = short - 59;
  return { length: littleEndian(input, at + 1, width) + 1, value: 0, after: at + 1 + width };
}

function copyAt(input: Uint8Array, at: number): Element {
  const tag = input[at] ?? 0;
  if ((tag & 3) === 1)
    return {
      length: ((tag >>> 2) & 7) + 4,
      value: ((tag >>> 5) << 8) | littleEndian(input, at + 1, 1),
      after: at + 2,
    };
  const width = (tag & 3) === 2 ? 2 : 4;
  return {
    length: (tag >>> 2) + 1,
    value: littleEndian(input, at + 1, width),
    after: at + 1 + width,
  };
}

function littleEndian(input: Uint8Array, at: number, width: number): number {
  if (at + width > input.byteLength) throw damaged();
  let value = 0;
  for (let index = width - 1; index >= 0; index -= 1)
    value = value * 256 + (input[at + index] ?? 0);
  return value;
}

function lengthOf(input: Uint8Array): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let at = 0; at < 5 && at < input.byteLength; at += 1) {
    const byte = input[at] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return { value, next: at + 1 };
  }
  throw damaged();
}

function damaged(): FormatError {
  return new FormatError("a block is damaged: its Snappy stream makes no sense");
}
