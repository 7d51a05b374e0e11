import { WireError, WireReader } from "../../../ground/wire/index.ts";
import { isLargeText } from "./codecs.ts";

/**
 * Fields of a message, by tag, whose bytes are taken as they are and cost next to nothing; for a message inside the message those of its own.
 */
export type FlatFields = ReadonlyMap<number, "flat" | FlatFields>;

/** From this size on even what is taken as it is may be many small values. */
const HUGE_BYTES = 16 * 2 ** 20;
/** Fields that are looked at; a message of more is read in a thread. */
const MAX_FIELDS = 256;

/** True for a protobuf message that takes so long to read that a thread should do it. Looks at the first few fields only. */
export function isLargeMessage(message: Buffer, flat: FlatFields): boolean {
  const { byteLength } = message;
  if (!isLargeText(byteLength)) return false;
  if (byteLength >= HUGE_BYTES) return true;
  try {
    const seen = { fields: 0 };
    return isLargeText(byteLength - flatBytes(new WireReader(message), flat, seen));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return true; // whoever reads it says what is wrong
  }
}

/** Bytes of the flat fields among those that are looked at. */
function flatBytes(reader: WireReader, flat: FlatFields, seen: { fields: number }): number {
  let bytes = 0;
  while (reader.at < reader.end && seen.fields < MAX_FIELDS) {
    seen.fields += 1;
    const tag = reader.tag();
    const known = flat.get(tag);
    if (known === undefined || known === "flat") {
      const before = reader.at;
      reader.skip(tag);
      if (known === "flat") bytes += reader.at - before;
      continue;
    }
    const outer = reader.enter();
    bytes += flatBytes(reader, known, seen);
    if (reader.at < reader.end) return bytes; // too many fields
    reader.leave(outer);
  }
  return bytes;
}
