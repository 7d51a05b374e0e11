import {
  chooseRow,
  debianOfRow,
  flagsOfRow,
  namesIn,
  type Catalogue,
  type CatalogueRow,
  type Recipe,
  type RowDebian,
  type RowChoice,
} from "../catalogue/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import type { UaiJob } from "./contracts.ts";

/** What of a job the catalogue is asked by. */
export type UaiWish = Pick<UaiJob, "framework" | "release" | "os" | "python">;

/** What the old tool took by itself; written out, it asks for nothing. */
const OLD_DEFAULTS: ReadonlySet<string | undefined> = new Set(["ubuntu", "python", "python-2.7.6"]);

/** Says what is wrong with `--ai_arch_v`, `--os` and `--python_version`; `undefined` when there is a row for them. Beside a base of the user's own the version need not be known. */
export function releaseProblem(
  wish: UaiWish,
  catalogue: Catalogue,
  { hasBase = false }: { readonly hasBase?: boolean } = {},
): string | undefined {
  const { framework, release: name } = wish;
  if (framework === "self" || (name === undefined && hasBase)) return undefined;
  const choice = choose(wish, catalogue);
  const known = namesIn(catalogue, { framework, purpose: "inference" }).join(", ");
  if (choice.kind === "foreign")
    return `--ai_arch_v: "${name ?? ""}" is a release for ${choice.frameworks.join(" and ")}, not for ${framework}; known are ${known}`;
  if (choice.kind === "found" || hasBase) return undefined;
  return choice.kind === "unfit"
    ? unfitProblem(wish, choice.rows)
    : `--ai_arch_v: "${name ?? ""}" is not known; known are ${known}`;
}

/** How an image for a release comes about. */
export interface UaiRecipe extends Recipe {
  /** The row that it is, such as `tensorflow-2.21.0`. */
  readonly name: string;
  /** The release of the vendor's that was asked for, and whose place this one takes. */
  readonly standsInFor?: string | undefined;
  /** A Debian that can be made in the base's place. */
  readonly debian?: RowDebian | undefined;
}

/**
 * How the base of a release is made; without a name the first that can be made. The vendor's closed releases have the first open
 * one of their framework in their place, which runs the same classes.
 * @throws ToolError `BASE_UNSUITABLE` for what no row is for, and for closed ones of a framework that has no open one.
 */
export function uaiRecipeOf(wish: UaiWish, catalogue: Catalogue): UaiRecipe {
  const choice = choose(wish, catalogue);
  if (choice.kind !== "found")
    throw cannotMake(wish, catalogue, { why: "the catalogue has nothing for it" });
  const { isClosed, recipes } = choice.row;
  if (!isClosed) return recipeOfRow(choice.row, { wish, catalogue });
  const open = chooseRow(catalogue, { framework: wish.framework, purpose: "inference" });
  if (open.kind === "found")
    return {
      ...recipeOfRow(open.row, { wish: { framework: wish.framework }, catalogue }),
      standsInFor: wish.release,
    };
  throw cannotMake(wish, catalogue, {
    why: "its base images are the vendor's own, and closed",
    closed: (recipes.cpu ?? recipes.gpu)?.base,
  });
}

function recipeOfRow(
  row: CatalogueRow,
  { wish, catalogue }: { readonly wish: UaiWish; readonly catalogue: Catalogue },
): UaiRecipe {
  const recipe = row.recipes.cpu ?? row.recipes.gpu;
  if (recipe === undefined)
    throw cannotMake(wish, catalogue, { why: "its row has nothing to make it of" });
  const python = OLD_DEFAULTS.has(wish.python) ? undefined : wish.python;
  return { ...recipe, name: row.name, debian: debianOfRow(row, python) };
}

function cannotMake(
  { framework, release = "" }: UaiWish,
  catalogue: Catalogue,
  { why, closed }: { readonly why: string; readonly closed?: string | undefined },
): ToolError {
  const open = namesIn(catalogue, { framework, purpose: "inference" }, { isOpenOnly: true });
  const own = closed === undefined ? "" : `; with an account of the vendor that may be ${closed}`;
  const moving = open.length === 0 ? "" : `; or move to ${open.join(", ")}`;
  return new ToolError("BASE_UNSUITABLE", `packdocker ${framework} for "${release}": ${why}`, {
    hint: `name an image of yours that has it with --bimg_name, or in a row of your own with --catalogue${own}${moving}`,
  });
}

/** What the vendor's rows are for decides nothing here: nothing is made of them. */
function choose(wish: UaiWish, catalogue: Catalogue): RowChoice {
  const asked = { framework: wish.framework, purpose: "inference", name: wish.release } as const;
  const exact = chooseRow(catalogue, { ...asked, os: wish.os, python: wish.python });
  if (exact.kind !== "unfit") return exact;
  if (exact.rows.every(({ isClosed }) => isClosed)) return chooseRow(catalogue, asked);
  const [os, python] = [wish.os, wish.python].map((text) =>
    OLD_DEFAULTS.has(text) ? undefined : text,
  );
  return chooseRow(catalogue, { ...asked, os, python });
}

function unfitProblem(
  { release: name, os, python }: UaiWish,
  rows: readonly CatalogueRow[],
): string {
  const flags = [
    ...(os === undefined ? [] : ["--os"]),
    ...(python === undefined ? [] : ["--python_version"]),
  ];
  const asked = [os, python].filter((text) => text !== undefined).join(" and ");
  const ways = rows.slice(0, 5).map(flagsOfRow).join(", or ");
  return `${flags.join(", ")}: nothing is known for ${name === undefined ? "" : `"${name}" with `}${asked}; write ${ways}`;
}
