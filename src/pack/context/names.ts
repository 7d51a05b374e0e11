import { ProjectError } from "../../errors/index.ts";

/** Control characters, line breaks and deletes: nothing that runs in an image has such a name for good reason. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/u;

/**
 * Reads a file name as bytes.
 * @throws ProjectError `FILE_REFUSED` for one that is not UTF-8, has control characters, or means "deleted" in a layer (`.wh.`).
 */
export function readName(bytes: Uint8Array, folder: string): string {
  const shown = (): string => `${folder === "" ? "" : `${folder}/`}${Buffer.from(bytes).toString("latin1").replaceAll(/[^\u0020-\u007e]/gu, "?")}`;
  let name: string;
  try {
    name = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new ProjectError("FILE_REFUSED", `pack "${shown()}": its name is not UTF-8`, { cause: error, hint: "rename it, or add it to .slipwayignore by a pattern" });
  }
  if (CONTROL.test(name)) throw new ProjectError("FILE_REFUSED", `pack "${shown()}": its name has control characters`, { hint: "rename it" });
  if (name.startsWith(".wh.")) throw new ProjectError("FILE_REFUSED", `pack "${shown()}": a name that begins with ".wh." deletes files when it is in an image layer`, { hint: "rename it, or add it to .slipwayignore" });
  return name;
}

/**
 * Refuses names that look the same but are not (composed and decomposed letters), and gives pairs that differ by case only, which
 * cannot both be unpacked on macOS or Windows.
 * @throws ProjectError `FILE_REFUSED`.
 */
export function findCaseCollisions(paths: readonly string[]): readonly (readonly [string, string])[] {
  const normal = new Map<string, string>();
  const folded = new Map<string, string>();
  const collisions: (readonly [string, string])[] = [];
  for (const path of paths) {
    const composed = path.normalize("NFC");
    const twin = normal.get(composed);
    if (twin !== undefined) throw new ProjectError("FILE_REFUSED", `pack "${path}": another file has the same name in another Unicode form`, { hint: "rename one of them" });
    normal.set(composed, path);
    const key = composed.toLowerCase();
    const other = folded.get(key);
    if (other === undefined) folded.set(key, path);
    else collisions.push([other, path]);
  }
  return collisions;
}
