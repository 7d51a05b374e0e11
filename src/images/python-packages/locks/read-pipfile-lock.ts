import {
  invalidLock,
  lockedLine,
  lockTable,
  lockTables,
  otherIndex,
  placedLine,
  textsIn,
  type LockedRequirements,
} from "./locked-line.ts";

/**
 * Reads what Pipenv wrote: `default`, without `develop`.
 * @throws ProjectError `REQUIREMENTS_INVALID`.
 */
export function readPipfileLock(text: string, file: string): LockedRequirements {
  const document = lockTable(parseJson(text, file), "it", file);
  const meta = lockTable(document["_meta"] ?? {}, "_meta", file);
  const lines: string[] = [];
  const notes: string[] = [];
  for (const [name, value] of Object.entries(
    lockTable(document["default"] ?? {}, "default", file),
  )) {
    const {
      version,
      markers,
      hashes,
      extras,
      git,
      ref,
      path,
      file: place,
    } = lockTable(value, `"${name.slice(0, 100)}"`, file);
    const marker = typeof markers === "string" ? markers : undefined;
    if (typeof git === "string")
      lines.push(
        placedLine({ name, marker }, `git+${git}${typeof ref === "string" ? `@${ref}` : ""}`, file),
      );
    else if (typeof place === "string") lines.push(placedLine({ name, marker }, place, file));
    else if (typeof path === "string")
      notes.push(`${name} is the folder "${path.slice(0, 100)}" and is not installed`);
    else if (typeof version !== "string" || !version.startsWith("=="))
      throw invalidLock(file, `the version of "${name.slice(0, 100)}" is not locked`);
    else
      lines.push(
        lockedLine(
          {
            ...{ name, version: version.replace(/^===?/, ""), marker },
            ...{ hashes: textsIn(hashes), extras: textsIn(extras) },
          },
          file,
        ),
      );
  }
  const indexes = lockTables(meta["sources"], "sources", file).flatMap(({ url }) =>
    otherIndex(url),
  );
  return { lines: lines.toSorted(), indexes, notes };
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidLock(file, "it is not JSON", error);
  }
}
