export { arrayText, leastTextBytes, nestTexts, type ArrayForm } from "./array-text.ts";
export { bufferOf } from "./buffer-of.ts";
export { DenseArrayReader } from "./dense-array.ts";
export { indentJson } from "./indent.ts";
export { JsonError } from "./json-error.ts";
export {
  isList,
  isObject,
  JsonNumber,
  nodeText,
  readNode,
  stringText,
  type JsonNode,
  type JsonObject,
  type JsonStyle,
} from "./json-node.ts";
export { JsonReader } from "./json-reader.ts";
export { listTensor } from "./list-tensor.ts";
export { takeRun, writeWide } from "./number-run.ts";
export { byteItemTexts, tensorText } from "./tensor-text.ts";
export { pythonFloat } from "../../plane/index.ts";
export { pythonRepr, pythonStr, pythonType } from "./python-text.ts";
