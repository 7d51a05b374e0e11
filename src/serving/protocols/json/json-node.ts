import type { JsonReader } from "./json-reader.ts";
import { pythonFloat, pythonInteger } from "../../plane/index.ts";

/** A number that keeps what JavaScript forgets: whether it was an integer, and all of its digits. */
export class JsonNumber {
  /** As Python writes it. */
  readonly text: string;
  readonly isFloat: boolean;

  constructor(text: string, isFloat: boolean) {
    this.text = text;
    this.isFloat = isFloat;
  }
}

/** Any JSON value. Objects are maps, so that no key is special. */
export type JsonNode = null | boolean | string | JsonNumber | readonly JsonNode[] | JsonObject;

export type JsonObject = ReadonlyMap<string, JsonNode>;

/** How JSON text is to look; the defaults of Flask are sorted keys and ASCII only. */
export interface JsonStyle {
  readonly sortKeys: boolean;
  readonly asciiOnly: boolean;
}

/** Takes the next value whole. The last of two equal keys wins, as in Python. */
export function readNode(reader: JsonReader): JsonNode {
  reader.countValue();
  const byte = reader.peek();
  if (byte === 0x22) return reader.string();
  if (byte === 0x7b) return readObject(reader);
  if (byte === 0x5b) {
    const items: JsonNode[] = [];
    reader.enter(0x5b);
    for (let more = reader.firstItem(); more; more = reader.nextItem())
      items.push(readNode(reader));
    return items;
  }
  const literal = reader.literal();
  if (literal !== undefined) return literal === "null" ? null : literal === "true";
  return readNumber(reader);
}

function readObject(reader: JsonReader): JsonObject {
  const members = new Map<string, JsonNode>();
  reader.enter(0x7b);
  for (let key = reader.firstKey(); key !== undefined; key = reader.nextKey())
    members.set(key, readNode(reader));
  return members;
}

function readNumber(reader: JsonReader): JsonNumber {
  const start = reader.at;
  const value = reader.number();
  return reader.isFloat
    ? new JsonNumber(pythonFloat(value), true)
    : new JsonNumber(pythonInteger(reader.slice(start, reader.at)), false);
}

export function isObject(node: JsonNode | undefined): node is JsonObject {
  return node instanceof Map;
}

export function isList(node: JsonNode | undefined): node is readonly JsonNode[] {
  return Array.isArray(node);
}

/** Compact JSON text. */
export function nodeText(node: JsonNode, style: JsonStyle): string {
  if (node === null || typeof node === "boolean") return String(node);
  if (typeof node === "string") return stringText(node, style.asciiOnly);
  if (node instanceof JsonNumber) return node.text;
  if (isList(node)) return `[${node.map((item) => nodeText(item, style)).join(",")}]`;
  const members = [...node];
  if (style.sortKeys) members.sort(([a], [b]) => compareText(a, b));
  return `{${members.map(([key, value]) => `${stringText(key, style.asciiOnly)}:${nodeText(value, style)}`).join(",")}}`;
}

/** By code points, as Python sorts; JavaScript would put what needs two units before U+E000. */
function compareText(a: string, b: string): number {
  if (!HAS_PAIRS.test(a) && !HAS_PAIRS.test(b)) return a < b ? -1 : 1;
  return Buffer.compare(Buffer.from(a, "utf8"), Buffer.from(b, "utf8"));
}

const HAS_PAIRS = /[\ud800-\udfff]/;
const BEYOND_ASCII = /[\u007f-\uffff]/;
const EACH_BEYOND_ASCII = /[\u007f-\uffff]/g;

/** A JSON string with its quotes, escaped as Python does it. */
export function stringText(text: string, asciiOnly: boolean): string {
  const quoted = JSON.stringify(text);
  if (!asciiOnly || !BEYOND_ASCII.test(quoted)) return quoted;
  return quoted.replace(
    EACH_BEYOND_ASCII,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
