export { isList, isObject, JsonError, JsonNumber, type JsonNode, type JsonObject } from "./json/index.ts";
export * from "./seldon/index.ts";
