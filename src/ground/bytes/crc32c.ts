const POLYNOMIAL = 0x82f63b78;
const MASK_DELTA = 0xa282ead8;
const SLICES = 8;

/** Eight tables in one: table k says what a byte does to the checksum k bytes later. */
const TABLE = makeTable();

function makeTable(): Int32Array {
  const table = new Int32Array(256 * SLICES);
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

/**
 * CRC-32C (Castagnoli) of bytes, eight at a time. `before` is the checksum of what came before them.
 * @see RFC 3720, appendix B.4
 */
export function crc32c(bytes: Uint8Array, before = 0): number {
  // Undefined never comes out of these indexes: they are bytes, and the table is full.
  const table = TABLE as { readonly [index: number]: number };
  const data = bytes as { readonly [index: number]: number };
  const { byteLength } = bytes;
  let crc = ~before | 0;
  let at = 0;
  for (const end = byteLength - 7; at < end; at += 8) {
    crc ^=
      (data[at] as number) |
      ((data[at + 1] as number) << 8) |
      ((data[at + 2] as number) << 16) |
      ((data[at + 3] as number) << 24);
    crc =
      (table[1792 + (crc & 255)] as number) ^
      (table[1536 + ((crc >>> 8) & 255)] as number) ^
      (table[1280 + ((crc >>> 16) & 255)] as number) ^
      (table[1024 + (crc >>> 24)] as number) ^
      (table[768 + (data[at + 4] as number)] as number) ^
      (table[512 + (data[at + 5] as number)] as number) ^
      (table[256 + (data[at + 6] as number)] as number) ^
      (table[data[at + 7] as number] as number);
  }
  for (; at < byteLength; at += 1)
    crc = (crc >>> 8) ^ (table[(crc ^ (data[at] as number)) & 255] as number);
  return ~crc >>> 0;
}

/**
 * A checksum as TFRecord files and TensorFlow's tables store it: rotated and shifted, so that a checksum of checksums means something.
 * @see tensorflow, core/lib/hash/crc32c.h
 */
export function maskCrc32c(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}
