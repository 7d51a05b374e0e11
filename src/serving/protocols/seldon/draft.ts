import { DenseArrayReader, readNode, type JsonNode, type JsonReader } from "../json/index.ts";
import type { Tensor } from "../../../models/tensor/index.ts";
import { decodeBase64, decodeClean } from "./base64.ts";
import { SeldonError } from "./seldon-error.ts";

/** Values in `meta`, and names of columns: they travel one by one, where numbers travel as bytes. */
const MAX_META = 10_000;
const MAX_NAMES = 65_536;

/** An array as it stood on the wire: numbers in bytes, or the JSON text of anything else. */
export interface WireArray {
  readonly dense?: Tensor;
  readonly json?: string;
}

/** The `data` object, not judged yet. `other` is what stood there when it was no object. */
export interface DataDraft {
  names?: JsonNode;
  tensor?: TensorDraft;
  ndarray?: WireArray;
  tftensor?: JsonNode;
  other?: JsonNode;
}

/** The `tensor` object; `other` as above. */
export interface TensorDraft {
  shape?: JsonNode;
  values?: WireArray;
  other?: JsonNode;
}

/**
 * What a SeldonMessage in JSON form says, before anything is made of it: JSON that breaks off later is one error, and a
 * message that makes no sense is another, and the first one wins.
 */
export interface MessageDraft {
  data?: DataDraft;
  jsonData?: string;
  /** Absent from the wire, text, or the JSON text of something else. */
  strData?: { readonly text: string } | { readonly json: string };
  binData?: Uint8Array | SeldonError | { readonly node: JsonNode };
  meta?: JsonNode;
  metaText?: string;
  /** The whole value when it is no object, or has no payload. */
  invalid?: JsonNode;
}

/** Reads messages out of JSON; keeps scratch space between them. @throws JsonError */
export class DraftReader {
  readonly #dense = new DenseArrayReader();

  /** Takes the next value as a message. */
  message(reader: JsonReader): MessageDraft {
    if (reader.peek() !== 0x7b) return { invalid: readNode(reader) };
    const { at, depth } = reader;
    const draft: MessageDraft = {};
    reader.enter(0x7b);
    for (let key = reader.firstKey(); key !== undefined; key = reader.nextKey())
      this.member(key, { reader, draft });
    if (hasPayload(draft)) return draft;
    reader.rewind(at, depth);
    return { ...draft, invalid: readNode(reader) };
  }

  /** Takes the value of one key of a message. */
  member(key: string, { reader, draft }: { reader: JsonReader; draft: MessageDraft }): void {
    switch (key) {
      case "data":
        draft.data = this.#data(reader);
        break;
      case "meta":
        draft.metaText = takenText(
          reader,
          () => (draft.meta = reader.bounded(MAX_META, () => readNode(reader))),
        );
        break;
      case "jsonData":
        draft.jsonData = takenText(reader, () => reader.skip());
        break;
      case "strData":
        draft.strData =
          reader.peek() === 0x22
            ? { text: reader.string() }
            : { json: takenText(reader, () => reader.skip()) };
        break;
      case "binData":
        draft.binData = readBinary(reader);
        break;
      default:
        reader.skip();
    }
  }

  #data(reader: JsonReader): DataDraft {
    if (reader.peek() !== 0x7b) return { other: readNode(reader) };
    const draft: DataDraft = {};
    reader.enter(0x7b);
    for (let key = reader.firstKey(); key !== undefined; key = reader.nextKey()) {
      if (key === "ndarray") draft.ndarray = this.#array(reader);
      else if (key === "names") draft.names = reader.bounded(MAX_NAMES, () => readNode(reader));
      else if (key === "tensor") draft.tensor = this.#tensor(reader);
      else if (key === "tftensor") draft.tftensor = readNode(reader);
      else reader.skip();
    }
    return draft;
  }

  #tensor(reader: JsonReader): TensorDraft {
    if (reader.peek() !== 0x7b) return { other: readNode(reader) };
    const draft: TensorDraft = {};
    reader.enter(0x7b);
    for (let key = reader.firstKey(); key !== undefined; key = reader.nextKey()) {
      if (key === "values") draft.values = this.#array(reader);
      else if (key === "shape") draft.shape = readNode(reader);
      else reader.skip();
    }
    return draft;
  }

  #array(reader: JsonReader): WireArray {
    if (reader.peek() === 0x5b) {
      const dense = this.#dense.read(reader);
      if (dense !== undefined) return { dense };
    }
    return { json: takenText(reader, () => reader.skip()) };
  }
}

function hasPayload(draft: MessageDraft): boolean {
  return (
    draft.data !== undefined ||
    draft.jsonData !== undefined ||
    draft.strData !== undefined ||
    draft.binData !== undefined
  );
}

/** The JSON text of what `take` takes. */
function takenText(reader: JsonReader, take: () => void): string {
  reader.peek();
  const start = reader.at;
  take();
  return reader.slice(start, reader.at);
}

/** Base64 that is clean is decoded from its bytes; a string with escapes or anything odd goes the long way. */
function readBinary(reader: JsonReader): NonNullable<MessageDraft["binData"]> {
  if (reader.peek() !== 0x22) return { node: readNode(reader) };
  const { depth } = reader;
  const start = reader.passString();
  const clean = decodeClean(reader.bytesBetween(start, reader.at - 1));
  if (clean !== undefined) return clean;
  reader.rewind(start - 1, depth);
  const text = reader.string();
  if (/[^\0-\x7f]/.test(text)) return badCharacters();
  try {
    return decodeBase64(Buffer.from(text, "latin1"));
  } catch (error) {
    if (error instanceof SeldonError) return error;
    throw error;
  }
}

function badCharacters(): SeldonError {
  return new SeldonError(
    500,
    "string argument should contain only ASCII characters",
    "MICROSERVICE_INTERNAL_ERROR",
  );
}
