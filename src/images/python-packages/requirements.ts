import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ProjectError } from "../../ground/errors/index.ts";
import type { WantedPackages } from "./contracts.ts";
import { createHashNotes, noteHashes, type HashNotes, type StatedHashes } from "./stated-hashes.ts";

/** Requirements as they are on disk, all included files read. */
export interface Requirements {
  /** Changes when any line, included file, local wheel or local folder of wheels does. Carries no credentials. */
  readonly digest: string;
  /** The lines that say where packages come from, local paths made absolute; needed again at installation. May hold credentials. */
  readonly indexLines: readonly string[];
  /** True when nothing is asked for. */
  readonly isEmpty: boolean;
  /** Hashes that the lines state: only wheels that have one of them may be taken. */
  readonly hashes: StatedHashes;
}

const MAX_FILE_BYTES = 4 * 2 ** 20;
const MAX_DEPTH = 20;

/** Options that say where packages come from and which count; needed at installation too. */
const INDEX_OPTIONS = /^(-i|--index-url|--extra-index-url|--no-index|--pre|--trusted-host)$/;

interface Reader {
  /** What is asked for; the order does not matter to a resolver. */
  readonly facts: string[];
  readonly indexLines: string[];
  readonly seen: Set<string>;
  readonly hashes: HashNotes;
  requirements: number;
}

interface Included {
  readonly path: string;
  readonly isConstraint: boolean;
}

/**
 * Reads the requirements of a request without understanding versions: that is the resolver's work.
 * @throws ProjectError `REQUIREMENTS_INVALID` for a file that is missing, too large or includes too deeply;
 *   `REQUIREMENT_WITHOUT_WHEEL` for an editable requirement.
 */
export function readRequirements(request: WantedPackages): Requirements {
  const reader: Reader = {
    facts: [],
    indexLines: [],
    seen: new Set(),
    hashes: createHashNotes(),
    requirements: 0,
  };
  for (const file of request.files)
    readFile({ path: resolve(request.root, file), isConstraint: false }, reader, 0);
  for (const line of request.lines ?? [])
    readLine(
      line,
      { folder: request.root, file: "requirements", line: 0, isConstraint: false },
      reader,
    );
  for (const place of request.indexes?.findLinks ?? []) noteFolder(place, request.root, reader);
  const digest = createHash("sha256")
    .update(JSON.stringify([reader.facts.toSorted(), reader.indexLines.map(withoutCredentials)]))
    .digest("hex");
  const { hashes } = reader;
  return { digest, indexLines: reader.indexLines, isEmpty: reader.requirements === 0, hashes };
}

function readFile({ path, isConstraint }: Included, reader: Reader, depth: number): void {
  if (reader.seen.has(path)) return;
  reader.seen.add(path);
  if (depth > MAX_DEPTH)
    throw new ProjectError(
      "REQUIREMENTS_INVALID",
      `read "${path}": files include each other more than ${MAX_DEPTH} deep`,
      { file: path },
    );
  const text = readText(path);
  let number = 0;
  let start = 0;
  let pending = "";
  for (const raw of text.split(/\r?\n/)) {
    number += 1;
    if (pending === "") start = number;
    if (raw.endsWith("\\")) {
      pending += raw.slice(0, -1);
      continue;
    }
    const included = readLine(
      pending + raw,
      { folder: dirname(path), file: path, line: start, isConstraint },
      reader,
    );
    if (included !== undefined) readFile(included, reader, depth + 1);
    pending = "";
  }
}

function readText(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined)
    throw new ProjectError("REQUIREMENTS_INVALID", `read "${path}": no such file`, { file: path });
  if (!stat.isFile())
    throw new ProjectError("REQUIREMENTS_INVALID", `read "${path}": it is not a file`, {
      file: path,
    });
  if (stat.size > MAX_FILE_BYTES)
    throw new ProjectError(
      "REQUIREMENTS_INVALID",
      `read "${path}": ${stat.size} bytes, at most ${MAX_FILE_BYTES} are read`,
      { file: path },
    );
  return readFileSync(path, "utf8");
}

interface RequirementsLine {
  readonly folder: string;
  readonly file: string;
  readonly line: number;
  readonly isConstraint: boolean;
}

/** Notes one line. @returns the file it includes. */
function readLine(raw: string, place: RequirementsLine, reader: Reader): Included | undefined {
  const line = raw.replace(/(^|\s)#.*$/, "").trim();
  if (line === "") return undefined;
  const { option, value } = splitOption(line);
  if (/^(-r|--requirement)$/.test(option))
    return { path: resolve(place.folder, value), isConstraint: place.isConstraint };
  if (/^(-c|--constraint)$/.test(option))
    return { path: resolve(place.folder, value), isConstraint: true };
  if (/^(-e|--editable)$/.test(option)) throw editable(line, place);
  if (option === "") noteRequirement(line, place, reader);
  else noteOption({ line, option, value }, place, reader);
  return undefined;
}

/** An option and its value, `-r file`, `--find-links=folder`, `-ffolder`; a requirement has the option "". */
function splitOption(line: string): { readonly option: string; readonly value: string } {
  const [, option = "", value = ""] =
    /^(-[a-zA-Z]|--[a-z-]+)(?:[\s=]+|$)(.*)$/.exec(line) ?? /^(-[rcfie])(\S.*)$/.exec(line) ?? [];
  return { option, value };
}

function noteRequirement(line: string, place: RequirementsLine, reader: Reader): void {
  reader.facts.push(withoutCredentials(`${place.isConstraint ? "at most " : ""}${line}`));
  if (!place.isConstraint) reader.requirements += 1;
  noteHashes(line, reader.hashes);
  noteLocalFile(line, place, reader);
}

function noteOption(
  parts: { readonly line: string; readonly option: string; readonly value: string },
  place: RequirementsLine,
  reader: Reader,
): void {
  const { line, option, value } = parts;
  if (option === "-f" || option === "--find-links")
    reader.indexLines.push(`--find-links ${noteFolder(value, place.folder, reader)}`);
  else if (INDEX_OPTIONS.test(option)) reader.indexLines.push(line);
  else reader.facts.push(line);
  if (option === "--require-hashes") reader.hashes.areRequired = true;
}

function editable(line: string, { file, line: number }: RequirementsLine): ProjectError {
  return new ProjectError(
    "REQUIREMENT_WITHOUT_WHEEL",
    `read "${file}": "${line}" is an editable requirement, and packages are taken from wheels only`,
    {
      file,
      line: number,
      hint: "put the package's sources into the code folder, or build a wheel with `pip wheel --no-deps -w wheels .` and require that",
    },
  );
}

/** A folder of wheels is part of what decides the outcome: names, sizes and times of its files. @returns its absolute path. */
function noteFolder(place: string, folder: string, reader: Reader): string {
  const path = place.startsWith("file:")
    ? fileURLToPath(place)
    : isAbsolute(place)
      ? place
      : resolve(folder, place);
  if (/^https?:/.test(place)) return place;
  if (!existsSync(path))
    throw new ProjectError(
      "REQUIREMENTS_INVALID",
      `look for wheels in "${path}": there is no such folder or page`,
      { file: path, hint: "correct --find-links, or findLinks in the project file" },
    );
  for (const name of statSync(path).isDirectory() ? readdirSync(path).toSorted() : []) {
    if (name.endsWith(".whl")) reader.facts.push(`${name} ${identityOf(join(path, name))}`);
  }
  return path;
}

function noteLocalFile(line: string, place: RequirementsLine, reader: Reader): void {
  const named = /(?:^|@\s*)((?:file:|\.{0,2}\/)?[^\s;@]*\.whl)\b/.exec(line)?.[1];
  if (named === undefined || /^https?:/.test(named)) return;
  const path = named.startsWith("file:") ? fileURLToPath(named) : resolve(place.folder, named);
  if (existsSync(path)) reader.facts.push(identityOf(path));
}

function identityOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? "gone" : `${stat.size} ${stat.mtimeNs}`;
}

function withoutCredentials(line: string): string {
  return line.replace(/\/\/[^/\s]*@/g, "//");
}
