export { WireError } from "./wire-error.ts";
export { WireFile, type WireField } from "./wire-file.ts";
export { WireReader } from "./wire-reader.ts";
export { WireWriter, writeMessage } from "./wire-writer.ts";
export {
  messageOf,
  messagesOf,
  numberOf,
  parseTextMessage,
  type TextMessage,
  truthOf,
  wordOf,
  wordsOf,
} from "./text-message.ts";
