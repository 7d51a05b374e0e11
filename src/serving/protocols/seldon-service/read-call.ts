import { noJson, parseFeedback, type SeldonCall } from "../seldon/index.ts";
import type { ComponentMethod } from "../../plane/index.ts";
import { isMultipart, readFormField, readMultipart, type MessageSource } from "./forms.ts";
import type { SeldonApi } from "./seldon-api.ts";

const JSON_TYPE = "application/json";

/** Where the message is looked for, in order: a multipart form, the form field `json`, the query's `json`, a JSON body. @throws SeldonError */
export function readCall(
  api: SeldonApi,
  source: MessageSource,
  method: ComponentMethod,
): SeldonCall {
  const options = api.parseOptions(method);
  const { body } = source;
  const type = source.header("content-type") ?? "";
  const isJson = type === JSON_TYPE;
  if (api.settings.isPassthrough && options.method === "predict") return wholeBody(body);
  if (isJson && source.query === "") return api.parser.parseJson(body, options);
  if (isMultipart(type)) return api.parser.parseForm(readMultipart(body, type), options);
  const field = readFormField(source, type);
  if (field !== undefined) return api.parser.parseJson(api.parser.checkField(field), options);
  if (!isJson && !isJsonType(type)) throw noJson();
  return api.parser.parseJson(body, options);
}

/** Reads a feedback message, from the same places. @throws SeldonError */
export function readFeedback(api: SeldonApi, source: MessageSource): SeldonCall {
  const body = readJsonBytes(api, source);
  return parseFeedback(body, api.parseOptions("send-feedback"), api.settings.unitId ?? "0");
}

/** The same for messages that are parsed elsewhere: their JSON text. */
function readJsonBytes(api: SeldonApi, source: MessageSource): Buffer {
  const type = source.header("content-type") ?? "";
  if (isMultipart(type)) return api.parser.formJson(readMultipart(source.body, type));
  const field = readFormField(source, type);
  if (field !== undefined) return api.parser.checkField(field);
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
