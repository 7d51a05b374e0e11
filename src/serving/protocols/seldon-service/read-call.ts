import {
  noJson,
  parseFeedback,
  type ParseOptions,
  type SeldonCall,
  type SeldonRequestParser,
} from "../seldon/index.ts";
import type { ComponentMethod } from "../../plane/index.ts";
import { isMultipart, readFormField, readMultipart, type MessageSource } from "./forms.ts";
import type { SeldonApi } from "./seldon-api.ts";

const JSON_TYPE = "application/json";

/** What the reading of a message depends on beside the message; plain data. */
export interface ReadSettings {
  readonly parse: ParseOptions;
  readonly isPassthrough: boolean;
  readonly unitId: string | undefined;
}

/** How messages of a method are read on this node. @throws InferenceError `MODEL_NOT_READY` */
export function readSettings(api: SeldonApi, method: ComponentMethod): ReadSettings {
  const { isPassthrough, unitId } = api.settings;
  return { parse: api.parseOptions(method), isPassthrough, unitId };
}

/** Reads the message of a call. @throws SeldonError; InferenceError `MODEL_NOT_READY` */
export function readCall(
  api: SeldonApi,
  source: MessageSource,
  method: ComponentMethod,
): SeldonCall {
  return readMessageFrom(api.parser, source, readSettings(api, method));
}

/** Where the message is looked for, in order: a multipart form, the form field `json`, the query's `json`, a JSON body. @throws SeldonError */
export function readMessageFrom(
  parser: SeldonRequestParser,
  source: MessageSource,
  settings: ReadSettings,
): SeldonCall {
  const { body } = source;
  const { parse } = settings;
  const type = source.header("content-type") ?? "";
  const isJson = type === JSON_TYPE;
  if (isPassedThrough(settings)) return wholeBody(body);
  if (isJson && source.query === "") return parser.parseJson(body, parse);
  if (isMultipart(type)) return parser.parseForm(readMultipart(body, type), parse);
  const field = readFormField(source, type);
  if (field !== undefined) return parser.parseJson(parser.checkField(field), parse);
  if (!isJson && !isJsonType(type)) throw noJson();
  return parser.parseJson(body, parse);
}

/** True for calls whose bytes nobody takes apart. */
export function isPassedThrough({ isPassthrough, parse }: ReadSettings): boolean {
  return isPassthrough && parse.method === "predict";
}

/** Reads the message of a feedback call. @throws SeldonError; InferenceError `MODEL_NOT_READY` */
export function readFeedback(api: SeldonApi, source: MessageSource): SeldonCall {
  return readFeedbackFrom(api.parser, source, readSettings(api, "send-feedback"));
}

/** Reads a feedback message, from the same places. @throws SeldonError */
export function readFeedbackFrom(
  parser: SeldonRequestParser,
  source: MessageSource,
  { parse, unitId = "0" }: ReadSettings,
): SeldonCall {
  return parseFeedback(readJsonBytes(parser, source), parse, unitId);
}

/** The same for messages that are parsed elsewhere: their JSON text. */
function readJsonBytes(parser: SeldonRequestParser, source: MessageSource): Buffer {
  const type = source.header("content-type") ?? "";
  if (isMultipart(type)) return parser.formJson(readMultipart(source.body, type));
  const field = readFormField(source, type);
  if (field !== undefined) return parser.checkField(field);
  if (!isJsonType(type)) throw noJson();
  return source.body;
}

/** For `PAYLOAD_PASSTHROUGH`: nobody looks at the bytes, nor at what they are said to be. */
function wholeBody(body: Buffer): SeldonCall {
  return {
    request: {
      method: "predict",
      messages: [{ payload: { kind: "bytes", bytes: body }, names: [] }],
    },
    context: { metas: [] },
  };
}

/** `application/json` with parameters, or any `application/*+json`. */
function isJsonType(type: string): boolean {
  const [essence = ""] = type.split(";", 1);
  const name = essence.trim().toLowerCase();
  return name === JSON_TYPE || (name.startsWith("application/") && name.endsWith("+json"));
}
