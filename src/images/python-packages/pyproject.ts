import { invalidLock, lockTable, textsIn, type LockTable } from "./locks/locked-line.ts";

/** What a project asks for. */
export interface Dependencies {
  /** As lines of a requirements file. */
  readonly lines: readonly string[];
}

/**
 * What `pyproject.toml` asks for: `[project] dependencies`, else `[tool.poetry.dependencies]`.
 * @throws ProjectError `REQUIREMENTS_INVALID` where that is not what it should be.
 */
export function dependenciesOf(document: LockTable, file: string): Dependencies {
  const project = lockTable(document["project"] ?? {}, "project", file);
  const { dependencies } = project;
  if (dependencies === undefined) return { lines: poetryLines(document, file) };
  if (!Array.isArray(dependencies) || !dependencies.every((line) => typeof line === "string"))
    throw invalidLock(file, "project.dependencies is not a list of texts");
  const odd = dependencies.find((line) => /^\s*-|[\r\n]/.test(line));
  if (odd !== undefined) throw invalidLock(file, `"${odd.slice(0, 100)}" is not a requirement`);
  return { lines: dependencies };
}

function poetryLines(document: LockTable, file: string): readonly string[] {
  const tool = lockTable(document["tool"] ?? {}, "tool", file);
  const poetry = lockTable(tool["poetry"] ?? {}, "tool.poetry", file);
  const wanted = lockTable(poetry["dependencies"] ?? {}, "tool.poetry.dependencies", file);
  return Object.entries(wanted)
    .filter(([name]) => name.toLowerCase() !== "python")
    .flatMap(([name, value]) => poetryLine(name, value, file));
}

function poetryLine(name: string, value: unknown, file: string): readonly string[] {
  const at = `tool.poetry.dependencies.${name.slice(0, 60)}`;
  if (!/^[A-Za-z0-9][\w.-]{0,200}$/.test(name)) throw invalidLock(file, `${at} is no name`);
  if (Array.isArray(value)) return value.flatMap((one: unknown) => poetryLine(name, one, file));
  if (typeof value === "string") return [`${name}${rangeOf(value, at, file)}`];
  const table = lockTable(value, at, file);
  if (table["optional"] === true) return [];
  const { version = "*", extras } = table;
  const marker = markerOf(table, at, file);
  const place = placeOf(table);
  if (place !== undefined) return [`${name} @ ${place}${marker}`];
  if (typeof version !== "string") throw invalidLock(file, `${at} has no version`);
  const more = textsIn(extras);
  return [
    `${name}${more.length === 0 ? "" : `[${more.join(",")}]`}${rangeOf(version, at, file)}${marker}`,
  ];
}

function markerOf({ markers, python }: LockTable, at: string, file: string): string {
  const conditions = [
    ...(typeof markers === "string" ? [`(${markers})`] : []),
    ...(typeof python === "string" ? pythonMarkers(python, at, file) : []),
  ];
  return conditions.length === 0 ? "" : ` ; ${conditions.join(" and ")}`;
}

/** Where a package is that has no index. */
function placeOf({ git, url, path, rev, tag, branch }: LockTable): string | undefined {
  const place = [git, url, path].find((one) => typeof one === "string");
  if (place === undefined || git === undefined) return place;
  const commit = [rev, tag, branch].find((one) => typeof one === "string");
  return `git+${place}${commit === undefined ? "" : `@${commit}`}`;
}

/** Poetry's ranges as PEP 440 writes them. @see Poetry's documentation, "Dependency specification" */
function rangeOf(text: string, at: string, file: string): string {
  if (text.includes("||") || text.includes("|"))
    throw invalidLock(
      file,
      `${at}: "${text.slice(0, 60)}" has alternatives, which have no place in a requirement; write the lock`,
    );
  return text
    .split(",")
    .map((part) => partOf(part.trim(), at, file))
    .filter((part) => part !== "")
    .join(",");
}

function partOf(part: string, at: string, file: string): string {
  if (part === "" || part === "*") return "";
  const [, operator = "", version = ""] =
    /^(\^|~=|~|===|==|=|!=|>=|<=|>|<)?\s*(\d[\w.!+*-]*)$/.exec(part) ?? [];
  if (version === "") throw invalidLock(file, `${at}: "${part.slice(0, 60)}" is no range`);
  if (operator === "^") return `>=${version},<${caretEnd(version)}`;
  if (operator === "~") return `>=${version},<${tildeEnd(version)}`;
  return `${operator === "" || operator === "=" ? "==" : operator}${version}`;
}

/** The first release behind `^1.2.3`: the leftmost number that is not zero goes up. */
function caretEnd(version: string): string {
  const numbers = numbersOf(version);
  const at = numbers.findIndex((number) => number > 0);
  return upAt(numbers, at < 0 ? numbers.length - 1 : at);
}

/** The first release behind `~1.2.3`: the second number goes up, or the only one. */
function tildeEnd(version: string): string {
  const numbers = numbersOf(version);
  return upAt(numbers, Math.min(1, numbers.length - 1));
}

function numbersOf(version: string): readonly number[] {
  return (/^\d+(?:\.\d+)*/.exec(version)?.[0] ?? "0").split(".").map(Number);
}

function upAt(numbers: readonly number[], at: number): string {
  return [...numbers.slice(0, at), (numbers[at] ?? 0) + 1].join(".");
}

function pythonMarkers(text: string, at: string, file: string): readonly string[] {
  return rangeOf(text, at, file)
    .split(",")
    .filter((part) => part !== "")
    .map((part) => part.replace(/^([=!<>~]+)(.*)$/, "python_version $1 '$2'"));
}
