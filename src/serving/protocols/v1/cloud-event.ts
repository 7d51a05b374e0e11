import { randomUUID } from "node:crypto";
import type { Exchange, Reply } from "../../transport/index.ts";
import { nodeText, type JsonObject } from "../json/index.ts";
import { requestInvalid } from "../request-errors.ts";
import { readObject } from "../v2/read-object.ts";

const STRUCTURED = "application/cloudevents+json";
const VERSION = "1.0";
/** What an event has to say of itself. */
const ATTRIBUTES = ["specversion", "id", "source", "type"] as const;
const STYLE = { sortKeys: false, asciiOnly: false };
const RESPONSE_TYPE = "io.kserve.inference.response";

/** A request that came as an event: what it carries, and the form in which its answer goes back. */
export interface CloudEvent {
  readonly form: "binary" | "structured";
  readonly data: Buffer;
}

/**
 * Reads a request as an event, in the binary mode (attributes in headers) or the structured one (all in one JSON object).
 * @returns undefined for a request that is no event
 * @throws InferenceError `REQUEST_INVALID` for an event that lacks an attribute, or of another version than 1.0
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
 */
export function readCloudEvent(exchange: Exchange): CloudEvent | undefined {
  const { body } = exchange;
  if (exchange.header("content-type")?.toLowerCase().startsWith(STRUCTURED) === true) {
    const event = readObject(body);
    checkAttributes((name) => event.get(name));
    return { form: "structured", data: dataIn(event) };
  }
  if (exchange.header("ce-specversion") === undefined) return undefined;
  checkAttributes((name) => exchange.header(`ce-${name}`));
  return { form: "binary", data: body };
}

/** The answer to an event, as an event of the same form. @param reply - in JSON */
export function replyAsEvent({ form }: CloudEvent, model: string, reply: Reply): Reply {
  const source = `io.kserve.inference.${encodeURIComponent(model)}`;
  const event = {
    ...{ specversion: VERSION, id: randomUUID(), source, type: RESPONSE_TYPE },
    time: new Date().toISOString(),
  };
  if (form === "binary") {
    const headers = Object.entries(event).flatMap(([name, value]) => [`ce-${name}`, value]);
    return { ...reply, headers: [...(reply.headers ?? []), ...headers] };
  }
  const head = JSON.stringify({ ...event, datacontenttype: reply.contentType });
  const body = Buffer.concat([
    Buffer.from(`${head.slice(0, -1)},"data":`),
    typeof reply.body === "string" ? Buffer.from(reply.body, "latin1") : reply.body,
    Buffer.from("}"),
  ]);
  return { ...reply, contentType: STRUCTURED, body };
}

function checkAttributes(attribute: (name: string) => unknown): void {
  for (const name of ATTRIBUTES) {
    const value = attribute(name);
    if (typeof value !== "string" || value === "")
      throw requestInvalid(`the event has no ${name}`, `it has to have ${ATTRIBUTES.join(", ")}`);
    if (name === "specversion" && value !== VERSION)
      throw requestInvalid(`the event is of version ${value.slice(0, 20)}, and ${VERSION} is read`);
  }
}

function dataIn(event: JsonObject): Buffer {
  const base64 = event.get("data_base64");
  if (typeof base64 === "string") return Buffer.from(base64, "base64");
  const data = event.get("data");
  if (data === undefined || data === null) throw requestInvalid("the event has no data");
  return Buffer.from(typeof data === "string" ? data : nodeText(data, STYLE));
}
