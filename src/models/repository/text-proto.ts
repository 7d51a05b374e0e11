import { ProjectError } from "../../ground/errors/index.ts";
import { parseTextMessage, WireError, type TextMessage } from "../../ground/wire/index.ts";

const MAX_CHARACTERS = 4 * 2 ** 20;

/**
 * Reads protobuf's text format without a schema, as `config.pbtxt` and `models.config` are written.
 * @param file - how it is called in errors
 * @throws ProjectError `PROJECT_INVALID` naming the line
 */
export function parseTextProto(text: string, file: string): TextMessage {
  if (text.length > MAX_CHARACTERS)
    throw new ProjectError(
      "PROJECT_INVALID",
      `read "${file}": it is longer than ${MAX_CHARACTERS} characters`,
      { file },
    );
  try {
    return parseTextMessage(text);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new ProjectError("PROJECT_INVALID", `read "${file}": ${error.message}`, {
      cause: error,
      file,
    });
  }
}
