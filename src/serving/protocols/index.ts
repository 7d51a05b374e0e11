export {
  isObject,
  JsonNumber,
  pythonFloat,
  pythonStr,
  type JsonNode,
  type JsonObject,
} from "./json/index.ts";
export * from "./protobuf/index.ts";
export * from "./seldon/index.ts";
