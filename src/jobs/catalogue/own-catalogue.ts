import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Catalogue } from "./contracts.ts";
import { catalogueOf } from "./parse-catalogue.ts";

/** The file that ships with the tool, for people to read and to copy rows from. */
export const OWN_CATALOGUE_PATH: string = resolve(
  import.meta.dirname,
  "../../../catalogue/catalogue.json",
);

/** Our rows: those of the old documents, then today's versions. A test checks the file, so that no command has to. */
export async function ownCatalogue(): Promise<Catalogue> {
  // The one file here that is known to be right.
  return catalogueOf(
    JSON.parse(await readFile(OWN_CATALOGUE_PATH, "utf8")) as Readonly<Record<string, unknown>>,
  );
}
