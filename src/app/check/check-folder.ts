import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isToolError } from "../../ground/errors/index.ts";
import { noFile } from "../../ground/process/index.ts";
import { readDeclaredPackages } from "../../images/python-packages/index.ts";
import type { Places } from "../session.ts";
import type { Check } from "./checks.ts";

/** True for words that name a folder of this machine by a path: `.`, `./iris`, `/models/iris`, `iris/`. */
export async function isProject(words: string, { cwd }: Places): Promise<boolean> {
  if (!/^\.{0,2}\/|^\.{1,2}$|\/$/.test(words)) return false;
  return (await stat(resolve(cwd, words)).catch(noFile))?.isDirectory() === true;
}

/** Says where the Python packages of a project folder come from, and which of its files nobody reads. */
export async function checkFolder(folder: string, { cwd }: Places): Promise<readonly Check[]> {
  const root = resolve(cwd, folder);
  const name = "packages";
  if ((await stat(join(root, "requirements.txt")).catch(noFile))?.isFile() === true)
    return [{ name, status: "ok", detail: "requirements.txt" }];
  try {
    const { lines, source, unread, notes } = await readDeclaredPackages(root);
    const found: Check =
      source === undefined
        ? { name, status: unread.length > 0 ? "warn" : "ok", detail: "none is declared" }
        : { name, status: "ok", detail: `${lines.length} of ${source}` };
    return [
      found,
      ...unread.map((file): Check => ({
        ...{ name, status: "warn", detail: `${file} may name packages and is not read` },
        hint: "write what the model needs into requirements.txt",
      })),
      ...notes.map((detail): Check => ({ name, status: "warn", detail })),
    ];
  } catch (error) {
    if (!isToolError(error)) throw error;
    return [{ name, status: "fail", detail: error.message, code: error.code }];
  }
}
