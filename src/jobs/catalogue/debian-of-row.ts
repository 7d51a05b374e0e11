import { goTogether } from "./choose-row.ts";
import type { CatalogueRow } from "./contracts.ts";

/** A Debian that has the Python of a row: its base can be made of packages, with no registry of images. */
export interface RowDebian {
  /** Such as `bookworm`. */
  readonly suite: string;
  /** Such as `3.11`. */
  readonly python: string;
}

/** Debian's releases by the catalogue's names for systems. */
const RELEASES: Readonly<Record<string, RowDebian>> = {
  "debian-12": { suite: "bookworm", python: "3.11" },
  "debian-13": { suite: "trixie", python: "3.13" },
};

/** The Debian that a row can stand on. @param python - as `--python_version` has it. @returns `undefined` when its Python does not fit. */
export function debianOfRow(
  { os, pythons }: Pick<CatalogueRow, "os" | "pythons">,
  python: string | undefined,
): RowDebian | undefined {
  const debian = os === undefined ? undefined : RELEASES[os];
  if (debian === undefined) return undefined;
  const name = `python-${debian.python}`;
  const isWanted = python === undefined || goTogether(name, python);
  return isWanted && pythons.some((known) => goTogether(known, name)) ? debian : undefined;
}
