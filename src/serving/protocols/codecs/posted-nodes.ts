import { isList, isObject, JsonNumber, type JsonNode, type JsonObject } from "../json/index.ts";
import type { SeldonCall } from "../seldon/index.ts";

/** A call that came from another thread, where its numbers have lost their class. */
export function withNumbers(call: SeldonCall): SeldonCall {
  const { metas, puid, ...context } = call.context;
  return {
    ...call,
    context: {
      ...context,
      metas: metas.map(objectWithNumbers),
      ...(puid !== undefined && { puid: nodeWithNumbers(puid) }),
    },
  };
}

function objectWithNumbers(object: JsonObject): JsonObject {
  return new Map([...object].map(([key, member]) => [key, nodeWithNumbers(member)]));
}

function nodeWithNumbers(node: JsonNode): JsonNode {
  if (node === null || typeof node !== "object") return node;
  if (isObject(node)) return objectWithNumbers(node);
  return isList(node) ? node.map(nodeWithNumbers) : new JsonNumber(node.text, node.isFloat);
}
