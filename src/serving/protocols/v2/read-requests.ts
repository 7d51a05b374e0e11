import { isRaw, type InferRequest } from "../../plane/index.ts";
import { isList, JsonError, JsonReader, nodeText, readNode } from "../json/index.ts";
import { requestInvalid } from "../request-errors.ts";
import { readInferJson } from "./read-infer-json.ts";

/** More requests of one file are refused. */
const MAX_REQUESTS = 1000;
const STYLE = { sortKeys: false, asciiOnly: false };

/**
 * Reads requests that lie in a file: one of Open Inference V2, or a list of them, in JSON.
 * @throws InferenceError `REQUEST_INVALID`, `TENSOR_INVALID`
 */
export function readRequests(bytes: Buffer): readonly InferRequest[] {
  const reader = new JsonReader();
  try {
    reader.open(bytes);
    const node = readNode(reader);
    reader.finish();
    const nodes = isList(node) ? node : [node];
    if (nodes.length > MAX_REQUESTS)
      throw requestInvalid(`there are ${nodes.length} requests, and ${MAX_REQUESTS} are taken`);
    return nodes.map((one) => requestOf(reader, Buffer.from(nodeText(one, STYLE))));
  } catch (error) {
    if (error instanceof JsonError)
      throw requestInvalid(`it is no JSON at byte ${error.at}: ${error.message}`);
    throw error;
  }
}

function requestOf(reader: JsonReader, body: Buffer): InferRequest {
  const { inputs, parameters, outputs } = readInferJson(reader, body);
  if (isRaw(inputs)) throw requestInvalid("it has no inputs");
  return {
    inputs,
    ...(parameters !== undefined && { parameters }),
    ...(outputs !== undefined && { outputs: outputs.map(({ name }) => name) }),
  };
}
