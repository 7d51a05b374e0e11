import { mapLimited } from "../../../ground/process/index.ts";
import type { ModelFile, ReadOptions } from "../contracts.ts";
import { readAllowList } from "./allow-list.ts";
import { refuseUnlisted, type PickleDeeds } from "./judge.ts";
import { lookInto } from "./look-into.ts";

/**
 * Looks for pickles in all files that a project brings, also for those that only its own code loads.
 * @throws ProjectError `PICKLE_REFUSED` for the first file that imports or calls what is not on the list.
 */
export async function checkPickles(
  files: readonly ModelFile[],
  { allowPickle, memory, signal }: ReadOptions = {},
): Promise<void> {
  const list = await readAllowList("class", allowPickle);
  await mapLimited(files, 4, async (file) => {
    const key = `pickle-deeds 1 ${file.identity ?? ""}`;
    const isKept = memory !== undefined && file.identity !== undefined;
    // Only this function writes below such a key.
    const known = (isKept ? await memory.get(key) : undefined) as
      | { value?: PickleDeeds }
      | undefined;
    const deeds =
      known === undefined ? await lookInto(file.location, file.path, signal) : known.value;
    if (isKept && known === undefined)
      await memory.set(key, deeds === undefined ? {} : { value: deeds });
    if (deeds !== undefined) refuseUnlisted(file.path, deeds, list);
  });
}
