import type { IndexOptions } from "../../images/pack/index.ts";

/**
 * The package indexes that a row of the catalogue brings, beside the user's. An index of the user's takes their place, since it
 * mirrors them; what is not of the framework is chosen from all indexes, not from the first one that has the name.
 */
export function rowIndexes(
  ofRow: readonly string[],
  users: Pick<IndexOptions, "indexUrl" | "extraIndexUrls">,
): Pick<IndexOptions, "extraIndexUrls" | "areEqual"> {
  const own = users.extraIndexUrls ?? [];
  const isReplaced = own.length > 0 || users.indexUrl !== undefined;
  if (isReplaced || ofRow.length === 0) return { extraIndexUrls: own };
  return { extraIndexUrls: ofRow, areEqual: true };
}
