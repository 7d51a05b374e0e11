const POLYNOMIAL = 0x82f63b78;
const MASK_DELTA = 0xa282ead8;
/** Two lanes of this many bytes are summed side by side: a processor does both in the time of little more than one. */
const LANE_BYTES = 1 << 14;
const LANE_WORDS = LANE_BYTES / 4;

/** A table whose every index is there. */
interface Words {
  readonly [index: number]: number;
}

/** Eight tables in one: table k says what a byte does to the checksum k bytes later. */
const TABLE = makeTable() as Words;
/** Four tables in one: what a byte of a checksum is after a lane of zeros. Made when something long is summed, since it takes 15 ms. */
let laneTable: Words | undefined;

function makeTable(): Int32Array {
  const table = new Int32Array(256 * 8);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (POLYNOMIAL & -(crc & 1));
    table[byte] = crc;
  }
  for (let at = 256; at < table.length; at += 1) {
    const before = table[at - 256] ?? 0;
    table[at] = (before >>> 8) ^ (table[before & 255] ?? 0);
  }
  return table;
}

function makeLaneTable(): Int32Array {
  const zeros = new Int32Array(LANE_WORDS);
  const ofBit = Array.from({ length: 32 }, (_, bit) => sumWords(zeros, 1 << bit));
  return Int32Array.from({ length: 4 * 256 }, (_, at) => {
    let crc = 0;
    for (let bit = 0; bit < 8; bit += 1)
      if (((at >>> bit) & 1) === 1) crc ^= ofBit[8 * (at >>> 8) + bit] ?? 0;
    return crc;
  });
}

/**
 * CRC-32C (Castagnoli) of bytes. `before` is the checksum of what came before them.
 * @see RFC 3720, appendix B.4
 */
export function crc32c(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  let at = 0;
  if (bytes.byteOffset % 4 === 0)
    for (; at + 2 * LANE_BYTES <= bytes.byteLength; at += 2 * LANE_BYTES)
      crc = sumLanes(new Int32Array(bytes.buffer, bytes.byteOffset + at, 2 * LANE_WORDS), crc);
  return ~sumBytes(bytes.subarray(at), crc) >>> 0;
}

function sumLanes(words: Words, before: number): number {
  laneTable ??= makeLaneTable() as Words;
  let first = before;
  let second = 0;
  for (let at = 0; at < LANE_WORDS; at += 2) {
    first = step(first ^ (words[at] as number), words[at + 1] as number);
    second = step(
      second ^ (words[LANE_WORDS + at] as number),
      words[LANE_WORDS + at + 1] as number,
    );
  }
  return (
    second ^
    (laneTable[first & 255] as number) ^
    (laneTable[256 + ((first >>> 8) & 255)] as number) ^
    (laneTable[512 + ((first >>> 16) & 255)] as number) ^
    (laneTable[768 + (first >>> 24)] as number)
  );
}

function sumWords(words: Int32Array, before: number): number {
  let crc = before;
  for (let at = 0; at < words.length; at += 2)
    crc = step(crc ^ (words[at] ?? 0), words[at + 1] ?? 0);
  return crc;
}

/** Eight bytes at once, as two words of the machine's order, which is little-endian wherever Node runs. */
function step(low: number, high: number): number {
  return (
    (TABLE[1792 + (low & 255)] as number) ^
    (TABLE[1536 + ((low >>> 8) & 255)] as number) ^
    (TABLE[1280 + ((low >>> 16) & 255)] as number) ^
    (TABLE[1024 + (low >>> 24)] as number) ^
    (TABLE[768 + (high & 255)] as number) ^
    (TABLE[512 + ((high >>> 8) & 255)] as number) ^
    (TABLE[256 + ((high >>> 16) & 255)] as number) ^
    (TABLE[high >>> 24] as number)
  );
}

function sumBytes(bytes: Uint8Array, before: number): number {
  let crc = before;
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 255] as number);
  return crc;
}

/**
 * A checksum as TFRecord files and TensorFlow's tables store it: rotated and shifted, so that a checksum of checksums means something.
 * @see tensorflow, core/lib/hash/crc32c.h
 */
export function maskCrc32c(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}
