import {
  chooseRow,
  flagsOfRow,
  namesIn,
  type Catalogue,
  type CatalogueRow,
  type Recipe,
} from "../catalogue/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import type { Accelerator, TrainJob } from "./contracts.ts";

/** What the documents say that the vendor's rows are without `--os` and `--python_version`. */
const DEFAULTS = { os: "ubuntu-14.04.05", python: "python-2.7.6" } as const;

/**
 * Finds the row that a job names and checks that system and Python go with it.
 * @param options.hasBase - the image comes with its framework, so an unknown version is no problem
 * @returns `undefined` when nothing is known of it, which only a base of the user's own allows.
 * @throws ToolError `USAGE` naming what there is.
 */
export function findRelease(
  job: Job,
  catalogue: Catalogue,
  options: { readonly hasBase: boolean },
): CatalogueRow | undefined {
  const { framework, release: name } = job;
  if (name === undefined) return undefined;
  const asked = { framework, purpose: "training", name } as const;
  const choice = chooseRow(catalogue, asked);
  const known = (): string => namesIn(catalogue, asked).join(", ");
  if (choice.kind === "found")
    return options.hasBase ? choice.row : fitting(choice.row, job, catalogue);
  if (choice.kind === "foreign")
    throw new ToolError(
      "USAGE",
      `--ai_arch_v "${name}": it is for ${choice.frameworks.join(" and ")}, and this is pack for ${framework}`,
      { hint: `take one of ${known()}` },
    );
  if (options.hasBase) return undefined;
  throw new ToolError("USAGE", `--ai_arch_v "${name}": it is not known`, {
    hint: `take one of ${known()}; or name an image that has it with --bimg_name, or in a row of your own with --catalogue`,
  });
}

type Job = Pick<TrainJob, "framework" | "release" | "os" | "python">;

/** The row of that name that goes with system and Python. @throws ToolError `USAGE` naming what does. */
function fitting(
  row: CatalogueRow,
  { framework, release, os, python }: Job,
  catalogue: Catalogue,
): CatalogueRow {
  const wanted = row.isClosed
    ? { os: os ?? DEFAULTS.os, python: python ?? DEFAULTS.python }
    : { os, python };
  const choice = chooseRow(catalogue, { framework, purpose: "training", name: release, ...wanted });
  if (choice.kind === "found") return choice.row;
  const ways = choice.kind === "unfit" ? choice.rows : [row];
  throw new ToolError(
    "USAGE",
    `--ai_arch_v "${release ?? ""}" does not go with ${wanted.os ?? "any system"} and ${wanted.python ?? "any Python"}`,
    { hint: `write ${ways.map(combinationOf).join(", or ")}` },
  );
}

/** True when images can be made of the row without a base of the user's own. */
export function isOpen({ isClosed, recipes }: CatalogueRow): boolean {
  return !isClosed && Object.keys(recipes).length > 0;
}

/**
 * How to make the base of a row.
 * @throws ToolError `BASE_UNSUITABLE` for the vendor's closed images, and for what the row has nothing for.
 */
export function recipeOf(
  row: CatalogueRow,
  accelerator: Accelerator,
  catalogue: Catalogue,
): Recipe {
  const recipe = row.recipes[accelerator];
  if (recipe !== undefined && !row.isClosed) return recipe;
  if (!row.isClosed) {
    throw new ToolError(
      "BASE_UNSUITABLE",
      `pack for "${row.name}": its row has nothing for ${accelerator}`,
      {
        hint: `add "${accelerator}" to the row, or name an image of yours with ${accelerator === "gpu" ? "--gpu-base, or pass --acc_type cpu" : "--bimg_name"}`,
      },
    );
  }
  const open = namesIn(
    catalogue,
    { framework: row.framework, purpose: "training" },
    { isOpenOnly: true },
  ).slice(0, 3);
  const own =
    recipe === undefined ? "" : `; with an account of the vendor that may be ${recipe.base}`;
  throw new ToolError(
    "BASE_UNSUITABLE",
    `pack for "${row.name}": its base images are the vendor's own, and closed`,
    {
      hint: `name an image of yours that has it with --bimg_name, or in a row of your own with --catalogue${own}${open.length === 0 ? "" : `; or move to ${open.join(", ")}`}`,
    },
  );
}

/** The flags of a row, as the documents' table of combinations has them. */
export function combinationOf(row: CatalogueRow): string {
  const isDefault =
    !row.isClosed ||
    (DEFAULTS.os.startsWith(row.os ?? "") && row.pythons.includes(DEFAULTS.python));
  return isDefault ? `--ai_arch_v=${row.name}` : flagsOfRow(row);
}
