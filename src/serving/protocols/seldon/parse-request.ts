import type { ComponentMessage, ComponentMethod, Payload } from "../../plane/index.ts";
import {
  isList,
  isObject,
  JsonError,
  JsonReader,
  nodeText,
  pythonRepr,
  pythonStr,
  pythonType,
  readNode,
  type JsonNode,
  type JsonObject,
} from "../json/index.ts";
import type { AnswerContext, DataKind, SeldonCall } from "./contracts.ts";
import {
  DraftReader,
  type DataDraft,
  type MessageDraft,
  type TensorDraft,
  type WireArray,
} from "./draft.ts";
import { reshapeNode, reshapeTensor } from "./reshape.ts";
import { badData, badInput, noJson, SeldonError } from "./seldon-error.ts";
import { parseTfTensor } from "./tf-tensor.ts";

const PLAIN_STYLE = { sortKeys: false, asciiOnly: false };
const NO_NAMES: readonly string[] = Object.freeze([]);
const NO_METAS: readonly JsonObject[] = Object.freeze([]);
const EMPTY: Payload = {
  kind: "tensor",
  tensor: { name: "", datatype: "FP64", shape: [0], data: new Uint8Array(0) },
};
const LIST_METHODS: ReadonlySet<ComponentMethod> = new Set(["aggregate"]);
/** Messages of one list, each of which is an object of its own. */
const MAX_MESSAGES = 10_000;
const PAYLOADS: ReadonlySet<string> = new Set(["data", "jsonData", "strData", "binData"]);
/** Of a router's request only the puid comes back. */
const PUID_ONLY: ReadonlySet<ComponentMethod> = new Set(["route"]);

/** A message and what its answer takes from it. */
interface Parsed {
  readonly message: ComponentMessage;
  readonly context: AnswerContext;
}

/** A message that came as separate fields of a form. */
export interface FormField {
  readonly name: string;
  /** JSON text of a field; what a file held otherwise. */
  readonly content: Buffer;
  readonly isFile: boolean;
}

/** Where a whole message is wanted, that is, where a `*_raw` method waits. */
export interface ParseOptions {
  readonly method: ComponentMethod;
  readonly isWhole: boolean;
  /** `SELDON_STRICT_COMPAT=1`: no TensorFlow here, so no tftensor. */
  readonly isStrict: boolean;
}

/** Turns request bodies into calls of the class contract. Keeps scratch space, so one object serves a whole server. */
export class SeldonRequestParser {
  readonly #reader = new JsonReader();
  readonly #drafts = new DraftReader();

  /**
   * Reads a JSON body.
   * @throws SeldonError with the wrapper's status and text
   */
  parseJson(body: Buffer, options: ParseOptions): SeldonCall {
    try {
      this.#reader.open(body);
      if (LIST_METHODS.has(options.method)) return this.#list(body, options);
      const draft = this.#drafts.message(this.#reader);
      this.#reader.finish();
      if (draft.invalid === null) throw noJson();
      return this.#call(draft, options, () => body.toString("utf8"));
    } catch (error) {
      throw error instanceof JsonError ? jsonRefusal(error) : error;
    }
  }

  /**
   * JSON from a form field or a query parameter, as bytes; the wrapper does not catch errors there.
   * @throws SeldonError 500 for text that is no JSON
   */
  checkField(text: string): Buffer {
    const bytes = Buffer.from(text, "utf8");
    this.#checked(bytes, (reader) => reader.skip());
    return bytes;
  }

  /** A multipart form as one JSON message, files of bytes in base64. @throws SeldonError 500 */
  formJson(fields: readonly FormField[]): Buffer {
    const whole = new Map(fields.map((field) => [field.name, this.#fieldNode(field)]));
    return Buffer.from(nodeText(whole, PLAIN_STYLE), "utf8");
  }

  /** Reads a multipart form: each field is a key of the message. @throws SeldonError */
  parseForm(fields: readonly FormField[], options: ParseOptions): SeldonCall {
    if (options.isWhole && !LIST_METHODS.has(options.method))
      return this.#wholeForm(fields, options);
    if (LIST_METHODS.has(options.method)) return this.parseJson(this.formJson(fields), options);
    const draft: MessageDraft = {};
    for (const field of fields) {
      const { name, content, isFile } = field;
      if (name === "binData" && isFile) draft.binData = content;
      else if (name === "strData") draft.strData = { text: fileText(content, isFile) };
      else if (isFile) this.#textMember(name, { text: fileText(content, isFile), draft });
      else this.#checked(content, (reader) => this.#drafts.member(name, { reader, draft }));
    }
    if (!fields.some(({ name }) => PAYLOADS.has(name)))
      draft.invalid = new Map(fields.map((field) => [field.name, this.#fieldNode(field)]));
    return this.#call(draft, options, () => "");
  }

  /** A file of bytes travels beside the message and not in it. */
  #wholeForm(fields: readonly FormField[], options: ParseOptions): SeldonCall {
    const file = fields.find(({ name, isFile }) => name === "binData" && isFile);
    const call = this.parseJson(this.formJson(fields.filter((field) => field !== file)), options);
    if (file === undefined) return call;
    const bytes: ComponentMessage = {
      payload: { kind: "bytes", bytes: file.content },
      names: NO_NAMES,
    };
    return { ...call, request: { ...call.request, messages: [...call.request.messages, bytes] } };
  }

  #fieldNode({ name, content, isFile }: FormField): JsonNode {
    if (name === "binData" && isFile) return content.toString("base64");
    return name === "strData" || isFile
      ? fileText(content, isFile)
      : this.#checked(content, readNode);
  }

  /** A file that is not binData stands for a JSON string. */
  #textMember(name: string, { text, draft }: { text: string; draft: MessageDraft }): void {
    const json = Buffer.from(JSON.stringify(text));
    this.#checked(json, (reader) => this.#drafts.member(name, { reader, draft }));
  }

  #checked<T>(bytes: Buffer, read: (reader: JsonReader) => T): T {
    try {
      this.#reader.open(bytes);
      const value = read(this.#reader);
      this.#reader.finish();
      return value;
    } catch (error) {
      if (error instanceof JsonError)
        throw badInput(`Expecting value: line 1 column ${error.at + 1} (char ${error.at})`);
      throw error;
    }
  }

  #call(draft: MessageDraft, options: ParseOptions, text: () => string): SeldonCall {
    if (options.isWhole) {
      const message: ComponentMessage = { payload: { kind: "raw", json: text() }, names: NO_NAMES };
      return {
        request: { method: options.method, messages: [message] },
        context: contextOf(draft, options),
      };
    }
    const { message, context } = parsed(draft, options);
    return { request: { method: options.method, messages: [message] }, context };
  }

  /** `{"seldonMessages": [...]}` or a bare list. */
  #list(body: Buffer, options: ParseOptions): SeldonCall {
    const reader = this.#reader;
    const drafts: MessageDraft[] = [];
    const invalid = this.#members(reader, drafts);
    reader.finish();
    if (invalid === null) throw noJson();
    if (options.isWhole) {
      const message: ComponentMessage = {
        payload: { kind: "raw", json: body.toString("utf8") },
        names: NO_NAMES,
      };
      return {
        request: { method: options.method, messages: [message] },
        context: listContext(drafts.map((draft) => contextOf(draft, options))),
      };
    }
    if (invalid !== undefined) throw badData(`Invalid request data type: ${pythonStr(invalid)}`);
    const members = drafts.map((draft) => parsed(draft, options));
    return {
      request: { method: options.method, messages: members.map(({ message }) => message) },
      context: listContext(members.map(({ context }) => context)),
    };
  }

  /** Collects the list's messages; what stands there in place of a list, or undefined. */
  #members(reader: JsonReader, drafts: MessageDraft[]): JsonNode | undefined {
    const first = reader.peek();
    const { at, depth } = reader;
    let found = first === 0x5b;
    if (found) this.#items(reader, drafts);
    else if (first === 0x7b) {
      reader.enter(0x7b);
      for (let key = reader.firstKey(); key !== undefined; key = reader.nextKey()) {
        if (key !== "seldonMessages") reader.skip();
        else if ((found = reader.peek() === 0x5b)) this.#items(reader, drafts);
        else reader.skip();
      }
    }
    if (found) return undefined;
    reader.rewind(at, depth);
    return readNode(reader);
  }

  #items(reader: JsonReader, drafts: MessageDraft[]): void {
    drafts.length = 0;
    reader.enter(0x5b);
    for (let more = reader.firstItem(); more; more = reader.nextItem()) {
      if (drafts.length === MAX_MESSAGES) reader.refuse("too many values");
      drafts.push(this.#drafts.message(reader));
    }
  }
}

function fileText(content: Buffer, isFile: boolean): string {
  try {
    return new TextDecoder("utf-8", { fatal: isFile, ignoreBOM: true }).decode(content);
  } catch {
    throw badInput("'utf-8' codec can't decode the file: invalid byte");
  }
}

/** Python reads what is refused for a limit of ours, so that is not called no JSON. */
function jsonRefusal(error: JsonError): SeldonError {
  return error.isLimit ? badData(`Can't find JSON in data: ${error.message}`) : noJson();
}

/** What an answer needs of a message whose payload nobody has looked at; nothing is an error here. */
function contextOf(draft: MessageDraft, { method }: ParseOptions): AnswerContext {
  const meta = isObject(draft.meta) ? draft.meta : undefined;
  const puid = meta?.get("puid");
  return {
    metas: meta === undefined || PUID_ONLY.has(method) ? NO_METAS : [meta],
    ...(draft.data !== undefined && { dataKind: dataKindOf(draft.data) }),
    ...(puid !== undefined && { puid }),
  };
}

function listContext(members: readonly AnswerContext[]): AnswerContext {
  return { ...members[0], metas: members.flatMap(({ metas }) => metas) };
}

function parsed(draft: MessageDraft, options: ParseOptions): Parsed {
  if (draft.invalid !== undefined)
    throw badData(`Invalid request data type: ${pythonStr(draft.invalid)}`);
  if (draft.meta !== undefined && !isObject(draft.meta))
    throw badInput(`'${pythonType(draft.meta)}' object has no attribute 'get'`);
  const payload = payloadOf(draft, options);
  const names = draft.data?.names === undefined ? NO_NAMES : columnNames(draft.data.names);
  const message = { payload, names, ...(draft.metaText !== undefined && { meta: draft.metaText }) };
  return { message, context: contextOf(draft, options) };
}

function payloadOf(draft: MessageDraft, options: ParseOptions): Payload {
  if (draft.data !== undefined) return dataPayload(draft.data, options);
  if (draft.jsonData !== undefined) return { kind: "json", json: draft.jsonData };
  if (draft.strData !== undefined)
    return "text" in draft.strData
      ? { kind: "text", text: draft.strData.text }
      : { kind: "json", json: draft.strData.json };
  const { binData } = draft;
  if (binData instanceof SeldonError) throw binData;
  if (binData === undefined || !(binData instanceof Uint8Array)) {
    const type = binData === undefined ? "NoneType" : pythonType(binData.node);
    throw badInput(`argument should be a bytes-like object or ASCII string, not '${type}'`);
  }
  return { kind: "bytes", bytes: binData };
}

function dataPayload(data: DataDraft, { isStrict }: ParseOptions): Payload {
  if (data.other !== undefined) return oddData(data.other);
  if (data.tensor !== undefined) return tensorPayload(data.tensor);
  if (data.ndarray !== undefined) return arrayPayload(data.ndarray);
  if (data.tftensor === undefined) return EMPTY;
  if (isStrict) throw badInput("name 'tf' is not defined");
  return { kind: "tensor", tensor: parseTfTensor(data.tftensor) };
}

function arrayPayload({ dense, json = "null" }: WireArray): Payload {
  return dense === undefined ? { kind: "array", json } : { kind: "tensor", tensor: dense };
}

function tensorPayload({ values, shape, other }: TensorDraft): Payload {
  if (other !== undefined) throw badInput(`'${pythonType(other)}' object is not subscriptable`);
  if (values === undefined) throw badInput("'values'");
  if (shape === undefined) throw badInput("'shape'");
  if (values.dense !== undefined)
    return { kind: "tensor", tensor: reshapeTensor(values.dense, shape) };
  const reader = new JsonReader();
  reader.open(Buffer.from(values.json ?? "null"));
  return { kind: "array", json: nodeText(reshapeNode(readNode(reader), shape), PLAIN_STYLE) };
}

/** `"tensor" in data` is true in Python for a text that holds the word, and for a list that has it. */
function oddData(node: JsonNode): Payload {
  const kinds: readonly DataKind[] = ["tensor", "ndarray", "tftensor"];
  if (typeof node === "string") {
    if (kinds.some((kind) => node.includes(kind)))
      throw badInput("string indices must be integers, not 'str'");
    return EMPTY;
  }
  if (!isList(node)) throw badInput(`argument of type '${pythonType(node)}' is not iterable`);
  if (kinds.some((kind) => node.includes(kind)))
    throw badInput("list indices must be integers or slices, not str");
  return EMPTY;
}

function dataKindOf(data: DataDraft): DataKind {
  if (data.tensor !== undefined) return "tensor";
  return data.ndarray === undefined && data.tftensor !== undefined ? "tftensor" : "ndarray";
}

function columnNames(node: JsonNode): readonly string[] {
  if (!isList(node)) return typeof node === "string" ? Array.from(node) : NO_NAMES;
  return node.map((name) => (typeof name === "string" ? name : pythonRepr(name)));
}
