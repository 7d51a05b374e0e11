import { badInput } from "./seldon-error.ts";

const DASH = 0x2d;
const UNDERSCORE = 0x5f;
const PAD = 0x3d;
const ALPHABET = /[A-Za-z0-9+/=]/g;

/**
 * Decodes base64 as Python's `b64decode` does: what is not of the alphabet is passed over, missing padding is an error.
 * @throws SeldonError 500
 */
export function decodeBase64(text: Buffer): Buffer {
  const clean = decodeClean(text);
  if (clean !== undefined) return clean;
  return decodeLoose((text.toString("latin1").match(ALPHABET) ?? []).join(""));
}

/** The fast way, for text without anything odd; undefined when there is something. */
export function decodeClean(text: Buffer): Buffer | undefined {
  const size = text.byteLength;
  if (size % 4 !== 0 || text.includes(DASH) || text.includes(UNDERSCORE)) return undefined;
  const pads = text[size - 1] !== PAD ? 0 : text[size - 2] === PAD ? 2 : 1;
  const bytes = Buffer.from(text.toString("latin1"), "base64");
  return bytes.byteLength === (size / 4) * 3 - pads ? bytes : undefined;
}

/** Stops behind the padding that completes a group of four, whatever follows; padding elsewhere is passed over. */
function decodeLoose(text: string): Buffer {
  let data = "";
  let place = 0;
  let pads = 0;
  for (const unit of text) {
    if (unit !== "=") {
      data += unit;
      place = (place + 1) % 4;
      pads = 0;
    } else if (place >= 2 && place + ++pads >= 4) return Buffer.from(data, "base64");
  }
  if (place === 1)
    throw badInput(
      `Invalid base64-encoded string: number of data characters (${data.length}) cannot be 1 more than a multiple of 4`,
    );
  if (place !== 0) throw badInput("Incorrect padding");
  return Buffer.from(data, "base64");
}
