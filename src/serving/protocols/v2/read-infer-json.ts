import { isDatatype, DATATYPES } from "../../../models/tensor/index.ts";
import { JsonError, type JsonReader } from "../json/index.ts";
import type { NamedTensor, Parameters, ParameterValue } from "../../plane/index.ts";
import {
  checkOutputs,
  readRequestParameters,
  readWantedOutput,
  type InferCall,
  type WantedOutput,
} from "./infer-call.ts";
import { requestInvalid, shortName, tensorInvalid } from "../request-errors.ts";
import { readJsonData } from "./json-data.ts";
import { checkRawData, type TensorHead } from "./tensor-size.ts";

const OBJECT = 0x7b;
const LIST = 0x5b;
const QUOTE = 0x22;
const MAX_TENSORS = 10_000;
const MAX_PARAMETERS = 1000;

/**
 * Reads an inference request.
 * @param body - JSON, and behind it the raw bytes of the tensors that say `binary_data_size`, in their order
 * @param headerBytes - length of the JSON; absent when the body is nothing else
 * @throws InferenceError `REQUEST_INVALID`, `TENSOR_INVALID`
 * @see open-inference-protocol, inference_rest.md; Triton's extension_binary_data.md
 */
export function readInferJson(
  reader: JsonReader,
  body: Buffer,
  headerBytes: number = body.byteLength,
): InferCall {
  try {
    reader.open(body.subarray(0, headerBytes));
    return new InferReader(reader, body.subarray(headerBytes)).read();
  } catch (error) {
    if (error instanceof JsonError)
      throw requestInvalid(`it is no JSON at byte ${error.at}: ${error.message}`);
    throw error;
  }
}

class InferReader {
  readonly #reader: JsonReader;
  readonly #blobs: Buffer;
  #blobAt = 0;

  constructor(reader: JsonReader, blobs: Buffer) {
    this.#reader = reader;
    this.#blobs = blobs;
  }

  read(): InferCall {
    const reader = this.#reader;
    let id: string | undefined;
    let inputs: readonly NamedTensor[] | undefined;
    let outputs: readonly WantedOutput[] = [];
    let parameters: Parameters = {};
    if (reader.peek() !== OBJECT) throw requestInvalid("it is no JSON object");
    this.#members("the request", {
      id: () => (id = this.#isNull() ? undefined : this.#text("id")),
      inputs: () => (inputs = this.#list("inputs", () => this.#input())),
      outputs: () => (outputs = this.#isNull() ? [] : this.#list("outputs", () => this.#output())),
      parameters: () => (parameters = this.#parameters("the request")),
    });
    reader.finish();
    if (inputs === undefined || inputs.length === 0)
      throw requestInvalid(
        "it has no inputs",
        'give "inputs": [{"name", "shape", "datatype", "data"}]',
      );
    if (this.#blobAt !== this.#blobs.byteLength)
      throw requestInvalid(
        `${this.#blobs.byteLength - this.#blobAt} bytes follow the last tensor`,
        "let binary_data_size of the inputs add up to what stands behind the JSON",
      );
    checkOutputs(outputs);
    return {
      inputs,
      ...readRequestParameters(parameters),
      ...(outputs.length > 0 && { outputs }),
      ...(id !== undefined && { id }),
    };
  }

  #input(): NamedTensor {
    const reader = this.#reader;
    const found: Partial<Record<"name" | "datatype", string>> & { shape?: readonly number[] } = {};
    let parameters: Parameters = {};
    let place: { readonly at: number; readonly depth: number } | undefined;
    let data: Uint8Array | undefined;
    this.#members("an input", {
      name: () => (found.name = this.#text("name of an input")),
      datatype: () => (found.datatype = this.#text("datatype of an input")),
      shape: () => (found.shape = this.#shape()),
      parameters: () => (parameters = this.#parameters("an input")),
      data: () => {
        reader.peek();
        place = { at: reader.at, depth: reader.depth };
        if (found.name !== undefined && found.datatype !== undefined && found.shape !== undefined)
          data = readJsonData(reader, headOf(found));
        else reader.skip();
      },
    });
    const head = headOf(found);
    const { binary_data_size: size, ...others } = parameters;
    if (place !== undefined && size !== undefined)
      throw tensorInvalid({ tensor: head.name, why: "it has both data and binary_data_size" });
    if (place === undefined) data = this.#blob(head, size, parameters);
    else data ??= this.#dataAt(place, head);
    return {
      ...head,
      data,
      ...(Object.keys(others).length > 0 && { parameters: others }),
    };
  }

  /** Data that stood before the shape or the datatype was known. */
  #dataAt(place: { readonly at: number; readonly depth: number }, head: TensorHead): Uint8Array {
    const reader = this.#reader;
    const { at, depth } = reader;
    reader.rewind(place.at, place.depth);
    const data = readJsonData(reader, head);
    reader.rewind(at, depth);
    return data;
  }

  #blob(head: TensorHead, size: ParameterValue | undefined, parameters: Parameters): Uint8Array {
    const { name } = head;
    if (size === undefined)
      throw tensorInvalid({
        tensor: name,
        why:
          "shared_memory_region" in parameters
            ? "shared memory is not served"
            : "it has neither data nor binary_data_size",
      });
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
      throw tensorInvalid({
        tensor: name,
        why: `binary_data_size is ${JSON.stringify(size).slice(0, 40)}, and a number of bytes is wanted`,
      });
    const left = this.#blobs.byteLength - this.#blobAt;
    if (size > left)
      throw tensorInvalid({
        tensor: name,
        why: `binary_data_size is ${size}, and ${left} bytes are left of the body`,
        expected: `${size} bytes`,
        actual: `${left} bytes`,
        hint: "say the length of the JSON in Inference-Header-Content-Length",
      });
    const data = this.#blobs.subarray(this.#blobAt, this.#blobAt + size);
    this.#blobAt += size;
    checkRawData(head, data);
    return data;
  }

  #output(): WantedOutput {
    let name: string | undefined;
    let parameters: Parameters = {};
    this.#members("an output", {
      name: () => (name = this.#text("name of an output")),
      parameters: () => (parameters = this.#parameters("an output")),
    });
    if (name === undefined) throw requestInvalid("an output has no name");
    return readWantedOutput(name, parameters);
  }

  #shape(): readonly number[] {
    return this.#list("shape", () => {
      const byte = this.#reader.peek();
      if (byte !== 0x2d && (byte < 0x30 || byte > 0x39))
        throw requestInvalid("an axis of a shape is no number");
      const axis = this.#reader.number();
      if (this.#reader.isFloat) throw requestInvalid("an axis of a shape is no whole number");
      return axis;
    });
  }

  #parameters(of: string): Parameters {
    if (this.#isNull()) return {};
    const reader = this.#reader;
    if (reader.peek() !== OBJECT) throw requestInvalid(`parameters of ${of} are no object`);
    const found = new Map<string, ParameterValue>();
    reader.enter(OBJECT);
    for (let key = reader.firstKey(); key !== undefined; key = reader.nextKey()) {
      if (found.size === MAX_PARAMETERS)
        throw requestInvalid(`parameters of ${of} are more than ${MAX_PARAMETERS}`);
      found.set(key, this.#parameter(key));
    }
    return Object.fromEntries(found);
  }

  #parameter(key: string): ParameterValue {
    const reader = this.#reader;
    const byte = reader.peek();
    if (byte === QUOTE) return reader.string();
    const start = reader.at;
    const isOther = byte === OBJECT || byte === LIST;
    const literal = isOther ? "null" : reader.literal();
    if (literal === "null")
      throw requestInvalid(
        `the parameter "${shortName(key)}" is no text, number or boolean, which are all that there may be`,
      );
    if (literal !== undefined) return literal === "true";
    const value = reader.number();
    return reader.isBig ? reader.slice(start, reader.at) : value;
  }

  #isNull(): boolean {
    return this.#reader.peek() === 0x6e && this.#reader.literal() === "null";
  }

  #text(what: string): string {
    if (this.#reader.peek() !== QUOTE) throw requestInvalid(`${what} is no text`);
    return this.#reader.string();
  }

  #list<T>(what: string, item: () => T): readonly T[] {
    const reader = this.#reader;
    if (reader.peek() !== LIST) throw requestInvalid(`${what} is no list`);
    reader.enter(LIST);
    const items: T[] = [];
    for (let more = reader.firstItem(); more; more = reader.nextItem()) {
      if (items.length === MAX_TENSORS)
        throw requestInvalid(`${what} has more than ${MAX_TENSORS} items`);
      items.push(item());
    }
    return items;
  }

  /** Takes an object: members that are known by their readers, others are passed over. A known one may come once. */
  #members(what: string, readers: Readonly<Record<string, () => unknown>>): void {
    const reader = this.#reader;
    if (reader.peek() !== OBJECT) throw requestInvalid(`${what} is no object`);
    const seen = new Set<string>();
    reader.enter(OBJECT);
    for (let key = reader.firstKey(); key !== undefined; key = reader.nextKey()) {
      const read = Object.hasOwn(readers, key) ? readers[key] : undefined;
      if (read === undefined) reader.skip();
      else if (seen.has(key)) throw requestInvalid(`${what} has "${key}" twice`);
      else read();
      if (read !== undefined) seen.add(key);
    }
  }
}

function headOf({
  name,
  datatype,
  shape,
}: {
  readonly name?: string;
  readonly datatype?: string;
  readonly shape?: readonly number[];
}): TensorHead {
  if (name === undefined) throw requestInvalid("an input has no name");
  if (datatype === undefined) throw tensorInvalid({ tensor: name, why: "it has no datatype" });
  if (shape === undefined) throw tensorInvalid({ tensor: name, why: "it has no shape" });
  return { name, datatype: datatypeOf(name, datatype), shape };
}

/** A datatype by its name. @throws InferenceError `TENSOR_INVALID` */
export function datatypeOf(tensor: string, datatype: string): TensorHead["datatype"] {
  if (isDatatype(datatype)) return datatype;
  throw tensorInvalid({
    tensor,
    why: `its datatype is "${datatype.slice(0, 40)}", which there is not`,
    expected: DATATYPES.join(", "),
    actual: datatype.slice(0, 40),
    hint: `choose from ${DATATYPES.join(", ")}`,
  });
}
