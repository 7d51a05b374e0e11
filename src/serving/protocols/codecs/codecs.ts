import type { CodecInput, CodecName, CodecOutput } from "./table.ts";

/** Reads and writes large messages away from the thread that answers probes. */
export interface Codecs {
  /**
   * Runs a function of `CODECS` in a thread. The bytes of `input` belong to that thread afterwards.
   * @throws what the function throws; ToolError `LIMIT_EXCEEDED` for a message that takes more memory than a thread has
   */
  run<Name extends CodecName>(name: Name, input: CodecInput<Name>): Promise<CodecOutput<Name>>;
}

/** From this size on a text is read or written in a thread: less takes no more time than a thread takes to be told of it. */
const LARGE_TEXT = 256 * 1024;

/** True for so many bytes of text, or of numbers that become text, that a thread should have them. */
export function isLargeText(bytes: number): boolean {
  return bytes >= LARGE_TEXT;
}
