import { orientationIn } from "./exif.ts";

export type ImageFormat = "jpeg" | "png" | "webp" | "gif";

/** What the first bytes of a picture say. */
export interface ImageHeader {
  readonly format: ImageFormat;
  /** In pixels, before the picture is turned. */
  readonly width: number;
  readonly height: number;
  /** How it is to be turned, 1 to 8 as in EXIF; 1 for not at all. */
  readonly orientation: number;
}

const PNG = Buffer.from("89504e470d0a1a0a", "hex");
/** Segments of a JPEG that are read through; more than any camera writes. */
const MAX_SEGMENTS = 10_000;
const MAX_CHUNKS = 10_000;

/** The format of a picture by its first bytes; undefined for what is none of ours. */
export function imageFormatOf(bytes: Uint8Array): ImageFormat | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "jpeg";
  if (bytes.byteLength >= 8 && PNG.equals(bytes.subarray(0, 8))) return "png";
  const text = Buffer.from(bytes.subarray(0, 12)).toString("latin1");
  if (/^GIF8[79]a/.test(text)) return "gif";
  return /^RIFF[^]{4}WEBP/.test(text) ? "webp" : undefined;
}

/** Reads format, size and orientation; no pixel is decoded. Undefined for what is no picture of ours, or is cut off before its size. */
export function readImageHeader(bytes: Uint8Array): ImageHeader | undefined {
  const format = imageFormatOf(bytes);
  if (format === undefined) return undefined;
  const found = READERS[format](Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  return found === undefined || found.width < 1 || found.height < 1
    ? undefined
    : { format, orientation: 1, ...found };
}

type HeaderFields = Omit<ImageHeader, "format" | "orientation"> &
  Partial<Pick<ImageHeader, "orientation">>;

const READERS: Readonly<Record<ImageFormat, (bytes: Buffer) => HeaderFields | undefined>> = {
  jpeg: readJpeg,
  png: readPng,
  webp: readWebp,
  gif: (bytes) =>
    bytes.byteLength < 10
      ? undefined
      : { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) },
};

/** Walks the segments up to the frame's. @see ITU-T T.81, B.1.1 and B.2.2 */
function readJpeg(bytes: Buffer): HeaderFields | undefined {
  let orientation = 1;
  let at = 2;
  for (let count = 0; count < MAX_SEGMENTS && at + 9 <= bytes.byteLength; count += 1) {
    const marker = bytes[at + 1] ?? 0;
    const alone = bytesWithoutSegment(bytes[at] ?? 0, marker);
    if (alone > 0) {
      at += alone;
      continue;
    }
    if (isFrame(marker))
      return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7), orientation };
    const length = bytes.readUInt16BE(at + 2);
    if (marker === EXIF_MARKER && bytes.toString("latin1", at + 4, at + 10) === EXIF_NAME)
      orientation = orientationIn(bytes.subarray(at + 10, at + 2 + length));
    at += 2 + length;
  }
  return undefined;
}

const EXIF_MARKER = 0xe1;
const EXIF_NAME = "Exif\0\0";

/** Bytes that are passed over where no segment with a length begins: stray ones, as decoders do, fill bytes, and markers that stand alone. */
function bytesWithoutSegment(first: number, marker: number): number {
  if (first !== 0xff || marker === 0xff) return 1;
  return marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8) ? 2 : 0;
}

/** SOF0 to SOF15 without the three markers between them that are none. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

/** @see PNG specification, 11.2.2 IHDR and 11.3.2.5 eXIf */
function readPng(bytes: Buffer): HeaderFields | undefined {
  if (bytes.byteLength < 33 || bytes.toString("latin1", 12, 16) !== "IHDR") return undefined;
  return {
    width: bytes.readUInt32BE(16),
    height: bytes.readUInt32BE(20),
    orientation: orientationOfChunk(bytes, { from: 8, name: "eXIf", isBig: true }),
  };
}

/** @see RFC 9649, 2.5 to 2.7 */
function readWebp(bytes: Buffer): HeaderFields | undefined {
  if (bytes.byteLength < 30) return undefined;
  const kind = bytes.toString("latin1", 12, 16);
  if (kind === "VP8X")
    return {
      width: 1 + bytes.readUIntLE(24, 3),
      height: 1 + bytes.readUIntLE(27, 3),
      orientation: orientationOfChunk(bytes, { from: 12, name: "EXIF", isBig: false }),
    };
  if (kind === "VP8L") {
    const packed = bytes.readUInt32LE(21);
    return { width: 1 + (packed & 0x3fff), height: 1 + ((packed >>> 14) & 0x3fff) };
  }
  return kind === "VP8 "
    ? { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff }
    : undefined;
}

interface ChunkQuery {
  /** Offset of the first chunk. */
  readonly from: number;
  readonly name: string;
  /** PNG: length, name, data, checksum; else RIFF: name, length, data, padded to two bytes. */
  readonly isBig: boolean;
}

function orientationOfChunk(bytes: Buffer, { from, name, isBig }: ChunkQuery): number {
  let at = from;
  for (let count = 0; count < MAX_CHUNKS && at + 8 <= bytes.byteLength; count += 1) {
    const length = isBig ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at + 4);
    const own = bytes.toString("latin1", isBig ? at + 4 : at, isBig ? at + 8 : at + 4);
    if (own === name) return orientationIn(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length + (isBig ? 4 : length % 2);
  }
  return 1;
}
