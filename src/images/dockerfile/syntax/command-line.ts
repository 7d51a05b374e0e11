import type { CommandLine } from "./instruction.ts";
import type { RawInstruction } from "./parse-lines.ts";
import { dockerfileError } from "./place.ts";
import { trimStart } from "./white-space.ts";

/**
 * A JSON list of texts, or undefined for anything that is no JSON list.
 * @throws ProjectError `DOCKERFILE_INVALID` for a list that holds something else than texts.
 */
export function jsonList(raw: RawInstruction, text: string): readonly string[] | undefined {
  if (!trimStart(text).startsWith("[")) return undefined;
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return undefined; // no JSON: the shell form
  }
  if (!Array.isArray(list)) return undefined;
  return list.map((item: unknown) => {
    if (typeof item !== "string")
      throw dockerfileError(
        raw.place,
        "when using JSON array syntax, arrays must be comprised of strings only",
      );
    return item;
  });
}

/** The words of a list, or the line for the shell. @throws ProjectError as `jsonList`. */
export function commandOf(raw: RawInstruction, text: string): CommandLine {
  const words = jsonList(raw, text);
  return words === undefined ? { kind: "shell", line: text } : { kind: "words", words };
}
