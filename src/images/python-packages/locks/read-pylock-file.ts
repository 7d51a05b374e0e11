import {
  lockedLine,
  lockTable,
  lockTables,
  lockText,
  otherIndex,
  placedLine,
  textsIn,
  type LockedPackage,
  type LockedRequirements,
  type LockTable,
} from "./locked-line.ts";

/** Markers of PEP 508 that always and never hold. */
const [ALWAYS, NEVER] = ["python_version >= '0'", "python_version < '0'"];

/**
 * Reads a lock of PEP 751: what is installed without extras, with the groups that it names as default.
 * @throws ProjectError `REQUIREMENTS_INVALID`.
 */
export function readPylockFile(document: LockTable, file: string): LockedRequirements {
  const groups = textsIn(document["default-groups"]);
  const lines: string[] = [];
  const indexes = new Set<string>();
  const notes: string[] = [];
  for (const table of lockTables(document["packages"], "packages", file)) {
    const name = lockText(table["name"], "a package's name", file);
    const marker = markerOf(table["marker"], groups);
    if (marker === NEVER) continue;
    for (const index of otherIndex(table["index"])) indexes.add(index);
    if (table["directory"] === undefined) lines.push(lineOf(table, { name, marker }, file));
    else notes.push(`${name} is a folder of sources and is not installed`);
  }
  return { lines: lines.toSorted(), indexes: [...indexes], notes };
}

/** Extras and groups are not known to a requirements file: what is asked of them is decided here. */
function markerOf(marker: unknown, groups: readonly string[]): string | undefined {
  if (typeof marker !== "string" || marker.trim() === "") return undefined;
  const decided = marker.replaceAll(
    /(["'])([\w.-]{1,100})\1\s+(not\s+)?in\s+(extras|dependency_groups)\b/g,
    (...found: readonly string[]) => {
      const [, , name = "", not, kind] = found;
      const isIn = kind === "dependency_groups" && groups.includes(name);
      return isIn === (not === undefined) ? ALWAYS : NEVER;
    },
  );
  return decided === ALWAYS ? undefined : decided;
}

function lineOf(
  table: LockTable,
  { name, marker }: Pick<LockedPackage, "name" | "marker">,
  file: string,
): string {
  const vcs = table["vcs"] === undefined ? undefined : lockTable(table["vcs"], "vcs", file);
  if (vcs !== undefined)
    return placedLine(
      { name, marker },
      `${lockText(vcs["type"], "vcs.type", file)}+${lockText(vcs["url"], "vcs.url", file)}@${lockText(vcs["commit-id"], "vcs.commit-id", file)}`,
      file,
    );
  const archive = table["archive"];
  if (archive !== undefined) {
    const { url, path } = lockTable(archive, "archive", file);
    if (typeof path === "string") return `./${path}`;
    return placedLine({ name, marker }, lockText(url, "archive.url", file), file);
  }
  const files = [
    ...lockTables(table["wheels"], "wheels", file),
    ...(table["sdist"] === undefined ? [] : [lockTable(table["sdist"], "sdist", file)]),
  ];
  const version = lockText(table["version"], `the version of "${name}"`, file);
  return lockedLine({ name, version, marker, hashes: files.flatMap(sha256Of(file)) }, file);
}

function sha256Of(file: string): (table: LockTable) => readonly string[] {
  return ({ hashes }) => {
    const { sha256 } = lockTable(hashes ?? {}, "hashes", file);
    return typeof sha256 === "string" ? [`sha256:${sha256}`] : [];
  };
}
