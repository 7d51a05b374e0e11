import {
  lockedLine,
  lockTable,
  lockTables,
  lockText,
  otherIndex,
  placedLine,
  type LockedRequirements,
  type LockTable,
} from "./locked-line.ts";

const MAIN = "main";

/**
 * Reads what Poetry wrote: the packages of the main group. Locks of Poetry 1.5 to 1.8 do not say which groups a package is for: there the
 * walk begins at what `pyproject.toml` names.
 * @param direct - normalised names that the project itself asks for
 * @throws ProjectError `REQUIREMENTS_INVALID`.
 */
export function readPoetryLock(
  document: LockTable,
  file: string,
  direct: readonly string[],
): LockedRequirements {
  const packages = lockTables(document["package"], "package", file);
  const hashes = filesByName(document, file);
  const wanted = packages.every((table) => "groups" in table || "category" in table)
    ? packages.filter(isMain)
    : reachedFrom(direct, packages, file);
  const lines: string[] = [];
  const indexes = new Set<string>();
  const notes: string[] = [];
  for (const table of wanted) {
    if (table["optional"] === true) continue;
    const name = lockText(table["name"], "a package's name", file);
    const version = lockText(table["version"], `the version of "${name}"`, file);
    const source = lockTable(table["source"] ?? {}, "source", file);
    const { type, url } = source;
    const marker = markerOf(table);
    if (type === "directory" || type === "file")
      notes.push(`${name} is "${String(url).slice(0, 100)}" and is not installed`);
    else if (type === "git" || type === "url")
      lines.push(placedLine({ name, marker }, placeOf(source, file), file));
    else {
      for (const index of otherIndex(url)) indexes.add(index);
      lines.push(
        lockedLine({ name, version, marker, hashes: hashesOf(table, hashes, file) }, file),
      );
    }
  }
  return { lines: lines.toSorted(), indexes: [...indexes], notes };
}

function isMain({ groups, category }: LockTable): boolean {
  return groups === undefined
    ? category === MAIN
    : Array.isArray(groups) && groups.some((group: unknown) => group === MAIN);
}

/** Poetry 2 writes one marker, or one for each group. */
function markerOf({ markers }: LockTable): string | undefined {
  const own =
    typeof markers === "object" && markers !== null && MAIN in markers ? markers.main : markers;
  return typeof own === "string" && own !== "" ? own : undefined;
}

function placeOf({ type, url, resolved_reference: commit }: LockTable, file: string): string {
  const place = lockText(url, "a source's url", file);
  return type === "git" ? `git+${place}@${lockText(commit, "a commit", file)}` : place;
}

/** Poetry before 1.3 keeps the hashes of all files in one table. */
function filesByName(document: LockTable, file: string): LockTable {
  const metadata = lockTable(document["metadata"] ?? {}, "metadata", file);
  return lockTable(metadata["files"] ?? {}, "metadata.files", file);
}

function hashesOf(table: LockTable, byName: LockTable, file: string): readonly string[] {
  const own = byName[String(table["name"])];
  return lockTables(table["files"] ?? own, "files", file).flatMap(({ hash }) =>
    typeof hash === "string" ? [hash] : [],
  );
}

function reachedFrom(
  direct: readonly string[],
  packages: readonly LockTable[],
  file: string,
): readonly LockTable[] {
  const reached = new Set<LockTable>();
  const queue = [...direct];
  for (let name = queue.shift(); name !== undefined; name = queue.shift())
    for (const table of packages) {
      if (normalized(String(table["name"])) !== name || reached.has(table)) continue;
      reached.add(table);
      const needs = lockTable(table["dependencies"] ?? {}, "dependencies", file);
      queue.push(
        ...Object.entries(needs)
          .filter(isCertain)
          .map(([need]) => normalized(need)),
      );
    }
  return [...reached];
}

/** A need of an extra is not one. */
function isCertain([, need]: readonly [string, unknown]): boolean {
  return (
    typeof need !== "object" || need === null || !("optional" in need && need.optional === true)
  );
}

function normalized(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, "-");
}
