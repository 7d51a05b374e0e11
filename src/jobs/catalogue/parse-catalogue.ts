import { isToolError } from "../../ground/errors/index.ts";
import {
  parseDocumentBy,
  type CheckedDocument,
  type DocumentPath,
} from "../../models/description/index.ts";
import { parseReference } from "../../images/oci/index.ts";
import {
  PURPOSES,
  type Catalogue,
  type CatalogueRow,
  type Purpose,
  type Recipe,
} from "./contracts.ts";
import { CATALOGUE_SCHEMA } from "./schema.ts";

/** A row as the file has it; the schema has checked it. */
interface WrittenRow {
  readonly framework: string;
  readonly name: string;
  readonly for?: readonly Purpose[];
  readonly os?: string;
  readonly pythons?: readonly string[];
  readonly closed?: boolean;
  readonly cpu?: WrittenRecipe;
  readonly gpu?: WrittenRecipe;
  readonly cuda?: { readonly version: string; readonly oldest: string; readonly newest: string };
}

type WrittenRecipe = Partial<Recipe> & Pick<Recipe, "base">;

const MAX_BYTES = 2 ** 20;
/** Places of images that are no references; `store:` is one with a prefix. */
const PLACES = /^(?:oci|oci-archive|docker-archive|docker-daemon|podman):./;

/**
 * Reads a catalogue file: YAML or JSON.
 * @param file - how it is called in errors.
 * @throws ProjectError `PROJECT_INVALID` naming file, line, row and key.
 */
export async function parseCatalogue(text: string, file: string): Promise<Catalogue> {
  const document = await parseDocumentBy(text, {
    file,
    what: "a catalogue",
    maxBytes: MAX_BYTES,
    schema: CATALOGUE_SCHEMA,
    partOf: rowAt,
  });
  const { rows } = catalogueOf(document.value);
  for (const [index, row] of rows.entries()) checkRow(document, row, index);
  checkTwins(document, rows);
  return { rows };
}

/** The rows of a file that was checked. */
export function catalogueOf(value: Readonly<Record<string, unknown>>): Catalogue {
  return { rows: (value["releases"] as readonly WrittenRow[]).map(rowOf) };
}

/** `row 2 "pytorch-2.6.0"`, counted from one. */
function rowAt(value: unknown, [list, index]: DocumentPath): string | undefined {
  if (list !== "releases" || typeof index !== "number") return undefined;
  const row = (value as { readonly releases?: readonly unknown[] }).releases?.[index];
  const name =
    typeof row === "object" && row !== null ? (row as { readonly name?: unknown }).name : undefined;
  return `row ${index + 1}${typeof name === "string" ? ` ${JSON.stringify(name.slice(0, 128))}` : ""}`;
}

function rowOf({
  framework,
  name,
  for: purposes = PURPOSES,
  os,
  pythons = [],
  closed = false,
  cpu,
  gpu,
  cuda,
}: WrittenRow): CatalogueRow {
  return {
    framework,
    name,
    purposes,
    pythons,
    isClosed: closed,
    ...(os !== undefined && { os }),
    recipes: {
      ...(cpu !== undefined && { cpu: recipeOf(cpu) }),
      ...(gpu !== undefined && { gpu: recipeOf(gpu) }),
    },
    ...(cuda !== undefined && {
      cuda: {
        version: cuda.version,
        capabilities: [Number(cuda.oldest), Number(cuda.newest)] as const,
      },
    }),
  };
}

function recipeOf({
  base,
  requirements = [],
  extraIndexUrls = [],
  apt = [],
}: WrittenRecipe): Recipe {
  return { base: base.trim(), requirements, extraIndexUrls, apt };
}

function checkRow(
  { refuse }: CheckedDocument,
  { recipes, pythons, isClosed, cuda }: CatalogueRow,
  index: number,
): void {
  if (!isClosed && recipes.cpu === undefined && recipes.gpu === undefined)
    throw refuse(["releases", index], "it has neither cpu nor gpu, so nothing can be made of it");
  for (const [processor, { base }] of Object.entries(recipes)) {
    const path = ["releases", index, processor, "base"];
    if (base.includes("{python}") && pythons[0]?.includes("-") !== true)
      throw refuse(
        path,
        `got ${JSON.stringify(base)}, and pythons says no version to put in for {python}`,
      );
    const problem = baseProblem(base);
    if (problem !== undefined) throw refuse(path, problem);
  }
  if (cuda !== undefined && cuda.capabilities[0] > cuda.capabilities[1])
    throw refuse(["releases", index, "cuda", "oldest"], "it is newer than newest");
}

function baseProblem(base: string): string | undefined {
  if (PLACES.test(base)) return undefined;
  try {
    parseReference(base.replace(/^store:/, "").replaceAll("{python}", "3.12"));
    return undefined;
  } catch (error) {
    if (!isToolError(error)) throw error;
    return error.message;
  }
}

/** Two rows that nothing tells apart are a slip of the pen: one of them would never be taken. */
function checkTwins({ refuse }: CheckedDocument, rows: readonly CatalogueRow[]): void {
  for (const [index, row] of rows.entries()) {
    const twin = rows.findIndex((other, at) => at < index && areTwins(other, row));
    if (twin >= 0)
      throw refuse(
        ["releases", index],
        `it is the same as row ${twin + 1}; tell them apart by for, os or pythons`,
      );
  }
}

function areTwins(one: CatalogueRow, other: CatalogueRow): boolean {
  return (
    one.framework === other.framework &&
    one.name === other.name &&
    one.os === other.os &&
    one.purposes.some((purpose) => other.purposes.includes(purpose)) &&
    (one.pythons.length === 0
      ? other.pythons.length === 0
      : one.pythons.some((python) => other.pythons.includes(python)))
  );
}
