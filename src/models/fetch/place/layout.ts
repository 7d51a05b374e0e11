import { readdir, rename, rmdir } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { ToolError } from "../../../ground/errors/index.ts";

/** Where the archives of the model store have the model. */
const STORE_FOLDER = "model/model";

/**
 * Brings unpacked files into the layout that a model server expects: a single file goes to the top, as `/models/test.h5`; a model of
 * several files stays where the archive has it, as `/models/model/model/saved_model.pb`.
 * @param folder - absolute; what is in it will be what is in `/models`
 * @throws ToolError `ARCHIVE_INVALID` when there is no file
 */
export async function arrange(folder: string): Promise<void> {
  const files = await filesBelow(folder);
  if (files.length === 0)
    throw new ToolError("ARCHIVE_INVALID", "unpack the archive: there is no file in it", {
      hint: "put the model into model/model of the archive",
    });
  const inStore = files.filter((path) => path.startsWith(`${STORE_FOLDER}/`));
  const [only, ...others] = inStore.length === 0 ? files : inStore;
  if (only === undefined || others.length > 0 || !only.includes("/")) return;
  const name = posix.basename(only);
  // The folder itself may have the name of the file in it.
  const aside = join(folder, `.slipway-${name}`);
  await rename(join(folder, only), aside);
  await removeEmptyFolders(folder, dirname(only));
  const isTaken = (await readdir(folder)).includes(name);
  await rename(aside, join(folder, isTaken ? only : name));
}

/** Every file, relative, parts joined by `/`, sorted. */
async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => posix.join(entry.parentPath.slice(folder.length + 1), entry.name))
    .sort();
}

async function removeEmptyFolders(root: string, path: string): Promise<void> {
  for (let folder = path; folder !== "."; folder = dirname(folder)) {
    const isEmpty = (await readdir(join(root, folder))).length === 0;
    if (!isEmpty) return;
    await rmdir(join(root, folder));
  }
}
