import type { JsonReader } from "../json/index.ts";
import { shortName, tensorInvalid } from "../request-errors.ts";

const OBJECT = 0x7b;
const QUOTE = 0x22;
const KEY = "b64";

/** True when `{"b64": …}`, with no other key, stands at the reader's place, which stays as it is. */
export function isBase64Item(reader: JsonReader): boolean {
  if (reader.peek() !== OBJECT) return false;
  const { at, depth } = reader;
  reader.enter(OBJECT);
  let isItem = reader.firstKey() === KEY;
  if (isItem) {
    reader.skip();
    isItem = reader.nextKey() === undefined;
  }
  reader.rewind(at, depth);
  return isItem;
}

/**
 * Takes `{"b64": text}` and gives its bytes. The padding may be missing; everything else has to be as RFC 4648 writes it.
 * @throws InferenceError `TENSOR_INVALID`
 */
export function readBase64Item(
  reader: JsonReader,
  { name }: { readonly name: string },
): Uint8Array {
  if (!isBase64Item(reader))
    throw tensorInvalid({
      tensor: name,
      why: 'an object stands where text or {"b64": text} is wanted',
      expected: "BYTES",
      actual: "an object",
    });
  reader.enter(OBJECT);
  reader.firstKey();
  if (reader.peek() !== QUOTE) throw tensorInvalid({ tensor: name, why: "its b64 is no text" });
  const text = reader.string();
  reader.nextKey();
  const bytes = Buffer.from(text, "base64");
  const padded = bytes.toString("base64");
  if (text === padded || text === padded.replace(/=+$/, "")) return bytes;
  throw tensorInvalid({
    tensor: name,
    why: `its b64 "${shortName(text).slice(0, 40)}" is no base64`,
    expected: "base64 of RFC 4648",
    actual: text.slice(0, 40),
  });
}
