import { ToolError } from "../../../ground/errors/index.ts";
import {
  isList,
  isObject,
  JsonError,
  JsonNumber,
  JsonReader,
  nodeText,
  readNode,
  type JsonNode,
  type JsonObject,
} from "../json/index.ts";
import { checkMessage, objectIn } from "./message-schema.ts";

const PLAIN_STYLE = { sortKeys: false, asciiOnly: false };

/** All children, and the first answer or the combiner's. */
export const ALL_BRANCHES = -1;
/** No child: the message itself goes on. */
export const NO_BRANCH = -2;

/**
 * The branch that a router's answer names: the first number of a bare list of integers, or of the message's array, cut to an integer; text
 * reads as 0. An empty array names all.
 * @throws ToolError `REQUEST_INVALID` for an answer that names no branch
 */
export function branchIn(body: Buffer): number {
  const node = parsed(body);
  if (isList(node)) return branchInList(node);
  checkedMessage(node);
  const data = objectIn(node, "data");
  if (data === undefined) throw unreadable("it has no data");
  return branchInData(data);
}

function branchInList(items: readonly JsonNode[]): number {
  const numbers = items.map((item) => numberIn(item));
  if (!numbers.every((number) => number !== undefined && Number.isSafeInteger(number)))
    throw unreadable("its list has something else than whole numbers");
  return numbers[0] ?? ALL_BRANCHES;
}

function branchInData(data: JsonObject): number {
  const values = objectIn(data, "tensor")?.get("values") ?? data.get("ndarray");
  const first = firstOf(values ?? tensorFlowValues(data));
  if (first === undefined) return ALL_BRANCHES;
  const number = firstOf(first) ?? first;
  const isText = typeof number === "string" && values === undefined; // 64-bit integers are text there
  return Math.trunc(isText ? Number(number) || 0 : (numberIn(number) ?? 0));
}

/** The list of a TensorFlow tensor, whatever its type is. */
function tensorFlowValues(data: JsonObject): JsonNode | undefined {
  const members = [...(objectIn(data, "tftensor") ?? [])];
  return members.find(([key, list]) => /val$/i.test(key) && isList(list))?.[1];
}

function firstOf(node: JsonNode | undefined): JsonNode | undefined {
  return isList(node) ? node[0] : undefined;
}

/**
 * Which child feedback about an answer belongs to, by the `routing` in the meta of its response: whole numbers, as such or as text. All when
 * it does not say, or cannot be read.
 */
export function feedbackRouting(body: Buffer): (node: string) => number {
  const routing = routingIn(body);
  return (name) => {
    const found = routing?.get(name);
    const value = typeof found === "string" ? Number(found) : numberIn(found);
    return value !== undefined && Number.isSafeInteger(value) && found !== ""
      ? value
      : ALL_BRANCHES;
  };
}

function routingIn(body: Buffer): JsonObject | undefined {
  const response = objectIn(readableJson(body), "response"); // nodes say what is wrong with the rest
  return objectIn(objectIn(response, "meta"), "routing");
}

/** The message with the branches that were taken in its meta; as it is where it has no meta, or is no JSON. */
export function withRouting(body: Buffer, routing: ReadonlyMap<string, number>): Buffer {
  const message = readableJson(body);
  const meta = objectIn(message, "meta");
  if (!isObject(message) || meta === undefined) return body;
  const branches = [...routing].map(
    ([name, branch]) => [name, new JsonNumber(String(branch), false)] as const,
  );
  const merged = new Map([...(objectIn(meta, "routing") ?? []), ...branches]);
  const routed = new Map([...message, ["meta", new Map([...meta, ["routing", merged]])]] as const);
  return Buffer.from(nodeText(routed, PLAIN_STYLE));
}

function parsed(body: Buffer): JsonNode {
  try {
    return readJson(body);
  } catch (error) {
    throw unreadable("it is no JSON", error);
  }
}

function checkedMessage(node: JsonNode): void {
  try {
    checkMessage(node, "SeldonMessage");
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : "it is no message", error);
  }
}

function numberIn(node: JsonNode | undefined): number | undefined {
  return node instanceof JsonNumber ? Number(node.text) : undefined;
}

/** Undefined for what is no JSON. */
function readableJson(body: Buffer): JsonNode | undefined {
  try {
    return readJson(body);
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

function readJson(body: Buffer): JsonNode {
  const reader = new JsonReader();
  reader.open(body);
  const node = readNode(reader);
  reader.finish();
  return node;
}

function unreadable(why: string, cause?: unknown): ToolError {
  return new ToolError("REQUEST_INVALID", `read the route that a router answered: ${why}`, {
    cause,
  });
}
