import {
  invalidLock,
  lockedLine,
  lockTable,
  lockTables,
  lockText,
  otherIndex,
  placedLine,
  textsIn,
  type LockedRequirements,
  type LockTable,
} from "./locked-line.ts";
import { eitherMarker, type MarkerWays } from "./marker-ways.ts";

/** A package that the walk reached, and when it is wanted. */
interface Reached {
  readonly table: LockTable;
  ways: MarkerWays;
}

/** More steps are no lock of a project. */
const MAX_STEPS = 200_000;

/**
 * Reads what `uv lock` wrote: the packages that the project itself needs, without its groups for development and its extras.
 * @param file - how the file is called in errors
 * @throws ProjectError `REQUIREMENTS_INVALID`.
 * @see uv's documentation, "Project structure", uv.lock
 */
export function readUvLock(document: LockTable, file: string): LockedRequirements {
  const packages = lockTables(document["package"], "package", file);
  const roots = packages.filter((table) => isRoot(sourceOf(table, file)));
  if (roots.length === 0)
    throw invalidLock(file, "it has no package for the project that it belongs to");
  const lines: string[] = [];
  const indexes = new Set<string>();
  const notes: string[] = [];
  for (const { table, ways } of reach(packages, roots, file)) {
    const source = sourceOf(table, file);
    const folder = source["editable"] ?? source["virtual"] ?? source["directory"];
    if (isRoot(source)) continue;
    if (typeof folder === "string") {
      notes.push(
        `${lockText(table["name"], "a name", file)} is the folder "${folder.slice(0, 100)}" and is not installed: only what it needs is`,
      );
      continue;
    }
    for (const index of otherIndex(source["registry"])) indexes.add(index);
    lines.push(lineOf(table, eitherMarker(ways), file));
  }
  return { lines: lines.toSorted(), indexes: [...indexes], notes };
}

function sourceOf(table: LockTable, file: string): LockTable {
  return lockTable(table["source"] ?? {}, "source", file);
}

function isRoot({ editable, virtual, directory }: LockTable): boolean {
  return [editable, virtual, directory].includes(".");
}

function lineOf(table: LockTable, marker: string | undefined, file: string): string {
  const name = lockText(table["name"], "a package's name", file);
  const source = sourceOf(table, file);
  const { git, url, path } = source;
  if (typeof git === "string") return placedLine({ name, marker }, `git+${git}`, file);
  if (typeof url === "string") return placedLine({ name, marker }, url, file);
  if (typeof path === "string") return `./${path}`;
  const files = [
    ...lockTables(table["wheels"], "wheels", file),
    ...(table["sdist"] === undefined ? [] : [lockTable(table["sdist"], "sdist", file)]),
  ];
  return lockedLine(
    {
      name,
      version: lockText(table["version"], `the version of "${name}"`, file),
      marker,
      hashes: files.flatMap(({ hash }) => (typeof hash === "string" ? [hash] : [])),
    },
    file,
  );
}

/** Every package that the roots need, each with the ways that lead to it. */
function reach(
  packages: readonly LockTable[],
  roots: readonly LockTable[],
  file: string,
): readonly Reached[] {
  const reached = new Map<LockTable, Reached>();
  const queue: { table: LockTable; extra: string | undefined; ways: MarkerWays }[] = roots.map(
    (table) => ({ table, extra: undefined, ways: [[]] }),
  );
  const seen = new Map<string, MarkerWays>();
  let steps = 0;
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { table, extra, ways } = next;
    const key = `${packages.indexOf(table)} ${extra ?? ""}`;
    const known = seen.get(key) ?? [];
    const all = joinWays(known, ways);
    if (seen.has(key) && areSame(all, known)) continue;
    steps += 1;
    if (steps > MAX_STEPS) throw invalidLock(file, "its packages need each other without an end");
    seen.set(key, all);
    const entry = reached.get(table) ?? { table, ways: [] };
    entry.ways = joinWays(entry.ways, withFork(all, table));
    reached.set(table, entry);
    for (const edge of edgesOf(table, extra, file))
      for (const target of targetsOf(edge, packages)) {
        const on = throughMarker(withFork(all, table), edge["marker"]);
        for (const wanted of [undefined, ...textsIn(edge["extra"])])
          queue.push({ table: target, extra: wanted, ways: on });
      }
  }
  return [...reached.values()];
}

/** A package of which the lock has several versions says where each holds. */
function withFork(ways: MarkerWays, table: LockTable): MarkerWays {
  const forks = textsIn(table["resolution-markers"]);
  const [one, ...others] = forks;
  if (one === undefined) return ways;
  return throughMarker(
    ways,
    others.length === 0 ? one : forks.map((fork) => `(${fork})`).join(" or "),
  );
}

function edgesOf(table: LockTable, extra: string | undefined, file: string): readonly LockTable[] {
  if (extra === undefined) return lockTables(table["dependencies"], "dependencies", file);
  const optional = lockTable(table["optional-dependencies"] ?? {}, "optional-dependencies", file);
  return lockTables(optional[extra], `optional-dependencies.${extra}`, file);
}

function targetsOf(edge: LockTable, packages: readonly LockTable[]): readonly LockTable[] {
  return packages.filter(
    ({ name, version }) =>
      name === edge["name"] && (edge["version"] === undefined || edge["version"] === version),
  );
}

function throughMarker(ways: MarkerWays, marker: unknown): MarkerWays {
  if (typeof marker !== "string" || marker === "") return ways;
  return joinWays(
    [],
    ways.map((way) => (way.includes(marker) ? way : [...way, marker].toSorted())),
  );
}

/** Both ways; one that another makes needless is left out. */
function joinWays(one: MarkerWays, other: MarkerWays): MarkerWays {
  const all = [...one, ...other];
  return all.filter(
    (way, index) =>
      !all.some(
        (wider, at) =>
          at !== index &&
          wider.every((marker) => way.includes(marker)) &&
          (wider.length < way.length || at < index),
      ),
  );
}

function areSame(one: MarkerWays, other: MarkerWays): boolean {
  return (
    one.length === other.length &&
    one.every((way) => other.some((same) => same.join("\n") === way.join("\n")))
  );
}
