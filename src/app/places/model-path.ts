import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { noFile } from "../../ground/process/index.ts";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import type { Places } from "../session.ts";
import { isInStore, namesRegistry } from "./places.ts";

/** Spellings that only an image has, and that only a path has. */
const IMAGE = /^(?:store|oci|oci-archive|docker-archive|docker-daemon|podman|docker):/;
const PATH = /^(?:\.{1,2}(?:\/|$)|\/)/;

/**
 * Whether a name means a file or folder rather than an image: one that begins with `./`, `../` or `/`, and one that exists.
 * @throws ToolError `USAGE` when it may be both.
 */
export async function isModelPath(text: string, session: Places): Promise<boolean> {
  if (IMAGE.test(text)) return false;
  if (PATH.test(text)) return true;
  const stats = await stat(resolve(session.cwd, text)).catch(noFile);
  if (stats === undefined) return false;
  const isHost = namesRegistry(text);
  if (!isHost && !(await isStored(text, session))) return true;
  throw new ToolError("USAGE", `inspect "${text}": it is a path, and may be an image`, {
    hint: isHost
      ? `write ./${text} for the path; leave the folder to name the image in the registry`
      : `write ./${text} for the path, or store:${text} for the image`,
  });
}

/** A path need not be a name that an image can have. */
async function isStored(text: string, session: Places): Promise<boolean> {
  try {
    return await isInStore(text, session);
  } catch (error) {
    if (isToolError(error)) return false;
    throw error;
  }
}
