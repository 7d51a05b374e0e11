import { isObject, JsonError, JsonReader, readNode, type JsonObject } from "../json/index.ts";
import { requestInvalid } from "../request-errors.ts";

/** The members of a body that is one JSON object. @throws InferenceError `REQUEST_INVALID` for anything else, with the byte. */
export function readObject(body: Buffer): JsonObject {
  const reader = new JsonReader();
  try {
    reader.open(body);
    const node = readNode(reader);
    reader.finish();
    if (isObject(node)) return node;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw requestInvalid(`it is no JSON at byte ${error.at}: ${error.message}`);
  }
  throw requestInvalid("it is no JSON object");
}
