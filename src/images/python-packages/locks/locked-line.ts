import { ProjectError } from "../../../ground/errors/index.ts";

/** What a lock file comes to as requirements. */
export interface LockedRequirements {
  /** Lines of a requirements file: every package with its version, its marker and its hashes. */
  readonly lines: readonly string[];
  /** Indexes that packages were taken from, other than PyPI. */
  readonly indexes: readonly string[];
  /** What is not installed though the lock has it, as sentences. */
  readonly notes: readonly string[];
}

/** A table of a lock file, as its parser gave it. */
export type LockTable = Readonly<Record<string, unknown>>;

/** One package of a lock. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  readonly extras?: readonly string[];
  /** When it is wanted, as PEP 508 writes it. */
  readonly marker?: string | undefined;
  /** `sha256:…` of every file that may be taken. */
  readonly hashes?: readonly string[];
}

const NAME = /^[A-Za-z0-9](?:[\w.-]{0,200}[A-Za-z0-9])?$/;
const VERSION = /^[A-Za-z0-9][A-Za-z0-9.!+_-]{0,100}$/;
/** Markers have names, comparisons and texts; nothing that would end the line or begin an option. */
const MARKER = /^[ \t\w.()<>=!~'"*+,-]{1,4000}$/;
const HASH = /^sha256:[0-9a-f]{64}$/;
const PYPI = /^https:\/\/(?:pypi\.org|pypi\.python\.org)\//;

/** A line of a requirements file. @throws ProjectError `REQUIREMENTS_INVALID` for what no resolver wrote. */
export function lockedLine(
  { name, version, extras = [], marker, hashes = [] }: LockedPackage,
  file: string,
): string {
  if (!VERSION.test(version)) throw invalidLock(file, `the version of "${name}" is none`);
  const known = [...new Set(hashes)].filter((hash) => HASH.test(hash)).toSorted();
  return [
    `${checkedName(name, file)}${extrasOf(extras, file)}==${version}`,
    ...(marker === undefined ? [] : ["; ", checkedMarker(marker, file)]),
    ...known.map((hash) => ` --hash=${hash}`),
  ].join("");
}

/** A line for a package that has a place of its own. @throws ProjectError `REQUIREMENTS_INVALID`. */
export function placedLine(
  { name, marker }: Pick<LockedPackage, "name" | "marker">,
  place: string,
  file: string,
): string {
  if (!/^[^\s;]{1,2000}$/.test(place)) throw invalidLock(file, `the place of "${name}" is none`);
  const end = marker === undefined ? "" : ` ; ${checkedMarker(marker, file)}`;
  return `${checkedName(name, file)} @ ${place}${end}`;
}

/** An index to be named, or nothing for PyPI. User and password are left out. */
export function otherIndex(url: unknown): readonly string[] {
  if (typeof url !== "string" || PYPI.test(url) || !URL.canParse(url)) return [];
  const { origin, pathname } = new URL(url);
  return [`${origin}${pathname}`];
}

/** @throws ProjectError `REQUIREMENTS_INVALID`. */
export function lockTable(value: unknown, what: string, file: string): LockTable {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalidLock(file, `${what} is not a table`);
  return value as LockTable; // an object; every field is checked where it is read
}

/** Tables of a list; none where there is no list. @throws ProjectError `REQUIREMENTS_INVALID`. */
export function lockTables(value: unknown, what: string, file: string): readonly LockTable[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalidLock(file, `${what} is not a list`);
  return value.map((one: unknown) => lockTable(one, `an entry of ${what}`, file));
}

/** @throws ProjectError `REQUIREMENTS_INVALID`. */
export function lockText(value: unknown, what: string, file: string): string {
  if (typeof value !== "string" || value === "") throw invalidLock(file, `${what} is missing`);
  return value;
}

/** Texts of a list; whatever else is there is left out. */
export function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value)
    ? value.filter((one: unknown): one is string => typeof one === "string")
    : [];
}

/** The error for a lock that cannot be read. */
export function invalidLock(file: string, why: string, cause?: unknown): ProjectError {
  return new ProjectError("REQUIREMENTS_INVALID", `read "${file}": ${why}`, { file, cause });
}

function checkedName(name: string, file: string): string {
  if (!NAME.test(name)) throw invalidLock(file, `"${name.slice(0, 100)}" is no package's name`);
  return name;
}

function extrasOf(extras: readonly string[], file: string): string {
  return extras.length === 0
    ? ""
    : `[${extras.map((extra) => checkedName(extra, file)).join(",")}]`;
}

function checkedMarker(marker: string, file: string): string {
  if (!MARKER.test(marker)) throw invalidLock(file, `"${marker.slice(0, 100)}" is no marker`);
  return marker.replaceAll(/\s+/g, " ").trim();
}
