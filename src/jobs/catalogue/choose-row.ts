import type { Catalogue, CatalogueRow, Processor, Purpose, Recipe } from "./contracts.ts";

/** What an image shall have, as the flags write it. */
export interface WantedRow {
  readonly framework: string;
  readonly purpose: Purpose;
  /** Absent: the first row that something can be made of. */
  readonly name?: string | undefined;
  readonly os?: string | undefined;
  readonly python?: string | undefined;
}

/** What the catalogue says to a wish. */
export type RowChoice =
  | {
      readonly kind: "found";
      /** Its bases name the Python that was chosen. */ readonly row: CatalogueRow;
    }
  /** Rows of that name, none with this system and Python. */
  | { readonly kind: "unfit"; readonly rows: readonly CatalogueRow[] }
  /** The name, or the word that it begins with, is one of other frameworks. */
  | { readonly kind: "foreign"; readonly frameworks: readonly string[] }
  | { readonly kind: "unknown" };

/**
 * Finds the first row that fits. A name may leave out the end of a version (`pytorch-2.6`), and has spaces and hyphens alike; systems and
 * Pythons fit when one is the beginning of the other (`ubuntu` and `ubuntu-16.04`).
 */
export function chooseRow({ rows }: Catalogue, wanted: WantedRow): RowChoice {
  const own = rows.filter(
    (row) => row.framework === wanted.framework && row.purposes.includes(wanted.purpose),
  );
  const named =
    wanted.name === undefined
      ? own.filter(({ isClosed }) => !isClosed)
      : rowsNamed(own, wanted.name);
  const found = named.find((row) => fits(row, wanted));
  if (found !== undefined) return { kind: "found", row: withPython(found, wanted.python) };
  if (named.length > 0) return { kind: "unfit", rows: named };
  const frameworks = wanted.name === undefined ? [] : ownersOf(rows, wanted.name);
  return frameworks.length === 0 || frameworks.includes(wanted.framework)
    ? { kind: "unknown" }
    : { kind: "foreign", frameworks };
}

/** Frameworks that have rows of that name, else rows that begin with the same word. */
function ownersOf(rows: readonly CatalogueRow[], name: string): readonly string[] {
  const named = rowsNamed(rows, name);
  const owners = named.length > 0 ? named : rows.filter((row) => wordOf(row.name) === wordOf(name));
  return [...new Set(owners.map(({ framework }) => framework))];
}

function wordOf(name: string): string {
  return name.split("-")[0] ?? "";
}

/** Names of the rows of a framework, in the catalogue's order. */
export function namesIn(
  { rows }: Catalogue,
  { framework, purpose }: Pick<WantedRow, "framework" | "purpose">,
  options: { readonly isOpenOnly?: boolean } = {},
): readonly string[] {
  const own = rows.filter(
    (row) =>
      row.framework === framework &&
      row.purposes.includes(purpose) &&
      (options.isOpenOnly !== true || !row.isClosed),
  );
  return [...new Set(own.map(({ name }) => name))];
}

/** A row as flags write it. */
export function flagsOfRow({ name, os, pythons: [python] }: CatalogueRow): string {
  return `--ai_arch_v=${/\s/.test(name) ? `'${name}'` : name}${python === undefined ? "" : ` --python_version=${python}`}${os === undefined ? "" : ` --os=${os}`}`;
}

/** The user's rows before ours; a row of ours that has the name of one of the user's is gone, as far as both are for the same. */
export function mergeCatalogues(users: Catalogue, ours: Catalogue): Catalogue {
  const rest = ours.rows.flatMap((row) => {
    const taken = new Set(
      users.rows
        .filter((own) => own.framework === row.framework && plain(own.name) === plain(row.name))
        .flatMap(({ purposes }) => purposes),
    );
    const purposes = row.purposes.filter((purpose) => !taken.has(purpose));
    return purposes.length === 0 ? [] : [{ ...row, purposes }];
  });
  return { rows: [...users.rows, ...rest] };
}

function rowsNamed(rows: readonly CatalogueRow[], name: string): readonly CatalogueRow[] {
  const exact = rows.filter((row) => plain(row.name) === plain(name));
  if (exact.length > 0) return exact;
  const [first, ...more] = rows.filter((row) => !row.isClosed && row.name.startsWith(`${name}.`));
  return first === undefined ? [] : [first, ...more.filter((row) => row.name === first.name)];
}

function plain(name: string): string {
  return name.trim().replaceAll(/\s+/g, "-");
}

function fits({ os, pythons }: CatalogueRow, wanted: Pick<WantedRow, "os" | "python">): boolean {
  const { os: system, python } = wanted;
  return (
    (os === undefined || system === undefined || goTogether(os, system)) &&
    (pythons.length === 0 ||
      python === undefined ||
      pythons.some((known) => goTogether(known, python)))
  );
}

/** True when one of two names is the other, or the beginning of it: `ubuntu` and `ubuntu-16.04`. */
export function goTogether(one: string, other: string): boolean {
  const [short, long] = one.length <= other.length ? [one, other] : [other, one];
  return long === short || long.startsWith(`${short}.`) || long.startsWith(`${short}-`);
}

function withPython(row: CatalogueRow, wanted: string | undefined): CatalogueRow {
  const known = row.pythons.find((python) => wanted === undefined || goTogether(python, wanted));
  if (known === undefined) return row;
  const python = wanted !== undefined && wanted.length > known.length ? wanted : known;
  const version = python.slice(python.indexOf("-") + 1);
  return mapBases(row, (base) => base.replaceAll("{python}", version));
}

/** The row with other bases. */
export function mapBases(row: CatalogueRow, change: (base: string) => string): CatalogueRow {
  const entries = Object.entries(row.recipes) as readonly [Processor, Recipe][];
  return {
    ...row,
    recipes: Object.fromEntries(
      entries.map(([processor, recipe]) => [processor, { ...recipe, base: change(recipe.base) }]),
    ),
  };
}
