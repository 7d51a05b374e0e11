import { createHash } from "node:crypto";
import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import type { LockedWheel } from "./contracts.ts";
import { readElf, type ElfFacts } from "./elf.ts";
import type { SharedLibrary } from "./libraries.ts";
import { inByteOrder } from "./path-order.ts";
import { formatRecord, parseRecord, type RecordEntry } from "./record.ts";
import { entryPointScript, parseEntryPoints, repointScript } from "./scripts.ts";
import { normalizeName } from "./wheel-name.ts";

/** A file of a package as it goes into the image. */
export interface PackageFile {
  /** Below site-packages, with forward slashes. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly isExecutable: boolean;
  /** Bytes to write, or an unpacked file and the hash (urlsafe base64) its wheel promises. */
  readonly content:
    | { readonly bytes: Uint8Array }
    | { readonly file: string; readonly sha256?: string };
}

/** An unpacked wheel: the same whoever unpacked it. */
export interface UnpackedWheel {
  readonly wheel: LockedWheel;
  /** In byte order of the paths. */
  readonly files: readonly PackageFile[];
  readonly isPure: boolean;
  readonly libraries: readonly SharedLibrary[];
  readonly license?: string;
  readonly summary?: string;
}

/** What of the image is written into scripts. */
export interface ScriptPlace {
  readonly interpreter: string | undefined;
  readonly sitePackages: string;
}

const MAX_FILES = 1_000_000;
const MAX_BYTES = 64 * 2 ** 30;
const MAX_SCRIPT_BYTES = 2 ** 20;

/** What installers write about themselves; it would make the layer depend on them. */
const INSTALLER_FILES = new Set([
  "INSTALLER",
  "REQUESTED",
  "direct_url.json",
  "RECORD",
  "RECORD.jws",
  "RECORD.p7s",
  "uv_build.json",
  "uv_cache.json",
]);

interface InstalledFile {
  readonly path: string;
  readonly size: number;
  readonly isExecutable: boolean;
}

interface DistInfo {
  readonly folder: string;
  readonly record: ReadonlyMap<string, RecordEntry>;
}

/**
 * Reads a folder into which an installer has put wheels side by side, and says which files belong to which.
 * @returns undefined when that cannot be told: two wheels bring different files under one name, or a file is in no record. The
 *   caller then unpacks each wheel into a folder of its own, where everything belongs to it.
 * @throws ToolError `FILE_REFUSED` for links and special files, and for a wheel that left no metadata; `LIMIT_EXCEEDED` for more
 *   than a million files or 64 GiB.
 */
export function readStaged(
  root: string,
  wheels: readonly LockedWheel[],
  place: ScriptPlace,
): readonly UnpackedWheel[] | undefined {
  const files = walk(root);
  const infos = findDistInfos(root);
  const owners = wheels.map((wheel) => ({
    wheel,
    info:
      infos.get(wheel.name) ??
      refuse(`unpack "${wheel.fileName}": it left no metadata for "${wheel.name}"`),
  }));
  const owned = assign(
    files,
    owners.map(({ info }) => info),
  );
  if (owned === undefined) return undefined;
  return owners.map(({ wheel, info }, index) =>
    unpackedWheel({ root, wheel, info, files: owned[index] ?? [] }, place),
  );
}

function walk(root: string): readonly InstalledFile[] {
  const found: InstalledFile[] = [];
  let bytes = 0;
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (entry.name !== "__pycache__") visit(path);
      } else if (!entry.isFile()) {
        refuse(`unpack Python packages: "${path}" is neither a file nor a folder`);
      } else if (path !== ".lock") {
        const { size, mode } = lstatSync(join(root, path));
        bytes += size;
        if (
          found.push({ path, size, isExecutable: (mode & 0o111) !== 0 }) > MAX_FILES ||
          bytes > MAX_BYTES
        ) {
          throw new ToolError(
            "LIMIT_EXCEEDED",
            `unpack Python packages: more than ${MAX_FILES} files or ${MAX_BYTES} bytes`,
          );
        }
      }
    }
  };
  visit("");
  return found;
}

function findDistInfos(root: string): ReadonlyMap<string, DistInfo> {
  const infos = new Map<string, DistInfo>();
  for (const name of readdirSync(root)) {
    if (!name.endsWith(".dist-info")) continue;
    const metadata = readText(join(root, name, "METADATA"));
    const record = parseRecord(readText(join(root, name, "RECORD")));
    infos.set(normalizeName(headerOf(metadata, "Name") ?? name.split("-")[0] ?? ""), {
      folder: name,
      record,
    });
  }
  return infos;
}

/** Files by owner, in the owners' order; a file that two wheels bring alike belongs to both. */
function assign(
  files: readonly InstalledFile[],
  infos: readonly DistInfo[],
): readonly (readonly InstalledFile[])[] | undefined {
  if (infos.length === 1) return [files];
  const ownersOf = indexOwners(infos);
  const owned: InstalledFile[][] = infos.map(() => []);
  for (const file of files) {
    const at =
      ownersOf.get(file.path) ?? ownersOf.get(file.path.slice(0, file.path.indexOf("/") + 1)) ?? [];
    if (
      at.length === 0 ||
      (at.length > 1 && !areAlike(at.map((index) => infos[index]?.record.get(file.path)?.sha256)))
    )
      return undefined;
    for (const index of at) owned[index]?.push(file);
  }
  return owned;
}

/** Who owns a path by its record; and `name.dist-info/` as a whole, for what installers add there. */
function indexOwners(infos: readonly DistInfo[]): ReadonlyMap<string, readonly number[]> {
  const owners = new Map<string, number[]>();
  infos.forEach(({ folder, record }, index) => {
    owners.set(`${folder}/`, [index]);
    for (const path of record.keys()) {
      const known = owners.get(path);
      if (known === undefined) owners.set(path, [index]);
      else known.push(index);
    }
  });
  return owners;
}

function areAlike(hashes: readonly (string | undefined)[]): boolean {
  return hashes.every((hash) => hash !== undefined && hash === hashes[0]);
}

interface Staged {
  readonly root: string;
  readonly wheel: LockedWheel;
  readonly info: DistInfo;
  readonly files: readonly InstalledFile[];
}

function unpackedWheel({ root, wheel, info, files }: Staged, place: ScriptPlace): UnpackedWheel {
  const text = (name: string): string => readText(join(root, info.folder, name));
  const scripts = new Map(
    parseEntryPoints(text("entry_points.txt")).map((entry) => [
      `bin/${entry.name}`,
      Buffer.from(entryPointScript(entry, place)),
    ]),
  );
  const kept: PackageFile[] = [...scripts].map(([path, bytes]) => ({
    path,
    size: bytes.byteLength,
    isExecutable: true,
    content: { bytes },
  }));
  for (const file of files) {
    const isInstallers =
      file.path.startsWith(`${info.folder}/`) &&
      INSTALLER_FILES.has(file.path.slice(info.folder.length + 1));
    if (!isInstallers && !scripts.has(file.path)) kept.push(keep(root, file, { info, place }));
  }
  kept.push(recordFile(kept, info.folder));
  const metadata = text("METADATA");
  const license = headerOf(metadata, "License-Expression") ?? headerOf(metadata, "License");
  const summary = headerOf(metadata, "Summary");
  return {
    wheel,
    files: inByteOrder(kept),
    isPure: /^Tag:\s*\S+-any\s*$/im.test(text("WHEEL")),
    libraries: librariesOf(root, files),
    ...(license === undefined || license.length > 200 ? {} : { license }),
    ...(summary === undefined ? {} : { summary }),
  };
}

function keep(
  root: string,
  file: InstalledFile,
  about: { readonly info: DistInfo; readonly place: ScriptPlace },
): PackageFile {
  const source = join(root, file.path);
  const { path } = file;
  if (/^bin\/[^/]+$/.test(path) && file.size <= MAX_SCRIPT_BYTES) {
    const bytes = repointScript(readFileSync(source), about.place.interpreter);
    return { path, size: bytes.byteLength, isExecutable: true, content: { bytes } };
  }
  const sha256 = about.info.record.get(path)?.sha256;
  return {
    path,
    size: file.size,
    isExecutable: file.isExecutable,
    content: { file: source, ...(sha256 === undefined ? {} : { sha256 }) },
  };
}

function recordFile(files: readonly PackageFile[], folder: string): PackageFile {
  const path = `${folder}/RECORD`;
  const entries = files.map(({ path: name, size, content }) => {
    const sha256 =
      "bytes" in content
        ? createHash("sha256").update(content.bytes).digest("base64url")
        : content.sha256;
    return { path: name, size, ...(sha256 === undefined ? {} : { sha256 }) };
  });
  const bytes = Buffer.from(formatRecord([...entries, { path }]));
  return { path, size: bytes.byteLength, isExecutable: false, content: { bytes } };
}

function librariesOf(root: string, files: readonly InstalledFile[]): readonly SharedLibrary[] {
  return files.flatMap(({ path }) => {
    if (!/\.so(\.|$)/.test(path.slice(path.lastIndexOf("/") + 1))) return [];
    const facts = readElfFile(join(root, path));
    return facts === undefined ? [] : [{ path, ...facts }];
  });
}

function readElfFile(path: string): ElfFacts | undefined {
  const file = openSync(path, "r");
  try {
    return readElf((offset, length) => {
      const buffer = Buffer.alloc(length);
      return buffer.subarray(0, readSync(file, buffer, 0, length, offset));
    });
  } finally {
    closeSync(file);
  }
}

/** First value of a header of `METADATA` or `WHEEL`. @see PyPA core metadata */
function headerOf(metadata: string, name: string): string | undefined {
  const head = metadata.split(/\r?\n\r?\n/)[0] ?? "";
  const value = new RegExp(`^${name}:[ \\t]*(.*)$`, "im").exec(head)?.[1]?.trim();
  return value === undefined || value === "" || value === "UNKNOWN" ? undefined : value;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

function refuse(message: string): never {
  throw new ToolError("FILE_REFUSED", message);
}
