import { ProjectError } from "../../../ground/errors/index.ts";
import type { AllowList } from "./allow-list.ts";

/** What loading a pickle would do, as far as its safety is concerned. Plain data: it is kept between packs. */
export interface PickleDeeds {
  /** Dotted names that it imports, in order. */
  readonly imports: readonly string[];
  /** Those of them that it calls with arguments. */
  readonly calls: readonly string[];
  /** What no name can allow, such as "it uses extension code 7". */
  readonly faults: readonly string[];
}

const MAX_SHOWN = 6;

/**
 * Refuses a pickle that imports or calls what is not on the list.
 * @param path - how the file is called in the error.
 * @throws ProjectError `PICKLE_REFUSED` naming everything at once, with the line to add in its hint.
 */
export function refuseUnlisted(path: string, deeds: PickleDeeds, list: AllowList): void {
  const [fault] = deeds.faults;
  if (fault !== undefined)
    throw new ProjectError("PICKLE_REFUSED", `read "${path}": ${fault}, which no model does`, {
      file: path,
      hint: "take the file from a source that you trust, and write it again with pickle or joblib",
    });
  const unlisted = deeds.imports.filter((name) => !list.names.has(name));
  const called = deeds.calls.filter((name) => list.notCalled.has(name));
  const [first] = unlisted;
  if (first !== undefined)
    throw new ProjectError(
      "PICKLE_REFUSED",
      `read "${path}": loading it imports ${shown(unlisted)}, which ${unlisted.length === 1 ? "is" : "are"} not on the list of what a model may import`,
      { file: path, hint: hintFor(unlisted) },
    );
  if (called.length > 0)
    throw new ProjectError(
      "PICKLE_REFUSED",
      `read "${path}": loading it calls ${shown(called)} with arguments, which opens files`,
      { file: path, hint: "write the model again with pickle or joblib" },
    );
}

function shown(names: readonly string[]): string {
  const some = names.slice(0, MAX_SHOWN).map((name) => `"${name.slice(0, 200)}"`);
  return `${some.join(", ")}${names.length > some.length ? ` and ${names.length - some.length} more` : ""}`;
}

function hintFor(names: readonly string[]): string {
  const main = names.find((name) => name.startsWith("__main__."));
  if (main !== undefined)
    return `"${main}" is of the script that trained the model, which no server can import: move it into a module beside the model, train again, and allow it by its new name`;
  const plain = names.filter((name) => /^[\w.]+$/.test(name));
  if (plain.length < names.length || plain.length > 32)
    return "take the file from a source that you trust";
  return `if you trust the file and know what these do, add allowPickle: [${plain.join(", ")}] to slipway.yaml, or ${plain.map((name) => `--allow-pickle ${name}`).join(" ")}`;
}
