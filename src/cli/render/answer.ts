import type { FileAnswer } from "../../app/index.ts";
import { stripControls } from "../../ground/errors/index.ts";
import { formatBytes, formatDuration } from "./format.ts";

/** What a packed server answered to a file, for people. */
export function answerLines({
  file,
  status,
  type,
  sizeBytes,
  text = "",
  tookMs,
}: FileAnswer): readonly string[] {
  const what = [String(status), ...(type === "" ? [] : [type]), formatBytes(sizeBytes)].join(", ");
  return [
    `test ${file}: ${what} in ${formatDuration(tookMs)}`,
    ...text
      .split("\n")
      .map((line) => stripControls(line).trimEnd())
      .filter((line) => line !== "")
      .map((line) => `  ${line}`),
  ];
}
