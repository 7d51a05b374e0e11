const ORIENTATION = 0x0112;
const SHORT = 3;
const MAX_ENTRIES = 1000;
const PREFIX = "Exif\0\0";

/**
 * The orientation in an EXIF block, 1 to 8; 1 where there is none, or the block is damaged.
 * @see CIPA DC-008, 4.6.4 A: Orientation; TIFF 6.0, section 2
 */
export function orientationIn(block: Buffer): number {
  const tiff = block.toString("latin1", 0, 6) === PREFIX ? block.subarray(PREFIX.length) : block;
  const order = tiff.toString("latin1", 0, 2);
  if (tiff.byteLength < 14 || (order !== "II" && order !== "MM")) return 1;
  const short = (at: number): number =>
    at + 2 > tiff.byteLength ? 0 : order === "II" ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at);
  const directory = order === "II" ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  const entries = Math.min(short(directory), MAX_ENTRIES);
  for (let index = 0; index < entries; index += 1) {
    const entry = directory + 2 + 12 * index;
    if (short(entry) !== ORIENTATION) continue;
    const value = short(entry + 2) === SHORT ? short(entry + 8) : 1;
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}
