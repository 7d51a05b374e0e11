import { ToolError } from "../../ground/errors/index.ts";
import type { Bytes, CallOptions } from "../../ground/bytes/index.ts";
import { createByteReader, type ByteReader } from "./byte-reader.ts";
import { decodeHeader, parsePax, plainText, type RawHeader } from "./decode-header.ts";
import type { TarDevice, TarEntry, TarEntryType, TarOutput } from "./entry.ts";
import { BLOCK_BYTES, paddingOf } from "./header.ts";
import { TarError } from "./tar-error.ts";

/** Bounds of what is read; each has a default that no image of use reaches. */
export interface ReadTarOptions extends CallOptions {
  /** Default 1 000 000. */
  readonly maxEntries?: number;
  /** Longest path or target, in bytes. Default 4096. */
  readonly maxPathBytes?: number;
  /** Content of all entries together, in bytes. Default 1 TiB. */
  readonly maxBytes?: number;
  /** Refuse a path that comes twice. Costs memory for every path. Default false. */
  readonly refuseDuplicates?: boolean;
  /** Read paths as if the root were `/`: absolute ones are below it, and steps up end there. Default false: both are refused. */
  readonly clampsPaths?: boolean;
}

const MAX_EXTENSION_BYTES = 2 ** 20;
/** Extension headers before one entry; real archives have three at most. */
const MAX_EXTENSIONS = 16;

/**
 * Reads a tar as it streams: ustar, PAX, GNU long names, base-256 sizes. Paths come out normalised; ones that are absolute or leave
 * the root are refused, so are hard links out of it, sparse files and wrong checksums. Devices come out as such. The source is read to its end.
 * @throws ToolError `ARCHIVE_INVALID`, `LIMIT_EXCEEDED`, each naming the entry.
 */
export async function* readTar(
  bytes: Bytes,
  options: ReadTarOptions = {},
): AsyncGenerator<TarOutput> {
  await using reader = createByteReader(bytes, options);
  const seen = options.refuseDuplicates === true ? new Set<string>() : undefined;
  const budget = createBudget(options);
  for (;;) {
    const header = await nextHeader(reader, options);
    if (header === undefined) break;
    const entry = toEntry(header, options.clampsPaths === true);
    budget(entry);
    if (seen?.has(entry.path) === true) throw new TarError(`"${entry.path}" comes twice`);
    seen?.add(entry.path);
    const contentAt = reader.position();
    const content = reader.stream(header.size);
    yield { entry, contentAt, content };
    for await (const rest of content) void rest; // what the caller left
    await reader.skip(paddingOf(header.size));
  }
  await reader.drain();
}

/** The next entry's header with its extensions applied, or `undefined` at the end. */
async function nextHeader(
  reader: ByteReader,
  options: ReadTarOptions,
): Promise<RawHeader | undefined> {
  let extension: Partial<RawHeader> = {};
  for (let count = 0; ; count += 1) {
    if (count > MAX_EXTENSIONS)
      throw new TarError(`more than ${MAX_EXTENSIONS} extension headers stand before one entry`);
    const block = await reader.read(BLOCK_BYTES);
    if (block === undefined || block.every((byte) => byte === 0)) {
      if (Object.keys(extension).length > 0)
        throw new TarError("it ends after an extension header");
      return undefined;
    }
    const header = decodeHeader(block);
    switch (header.type) {
      case "x":
        extension = { ...extension, ...parsePax(await body(reader, header)) };
        break;
      case "g":
        refuseGlobal(parsePax(await body(reader, header)));
        break;
      case "L":
        extension = { ...extension, path: plainText(await body(reader, header)) };
        break;
      case "K":
        extension = { ...extension, linkTarget: plainText(await body(reader, header)) };
        break;
      default:
        return checked({ ...header, ...extension }, options);
    }
  }
}

/** A global header that renames every entry has no honest use. */
function refuseGlobal(found: Partial<RawHeader>): void {
  if (found.path !== undefined || found.linkTarget !== undefined || found.size !== undefined)
    throw new TarError("a global header sets every entry's name or size");
}

async function body(reader: ByteReader, header: RawHeader): Promise<Uint8Array> {
  if (header.size > MAX_EXTENSION_BYTES)
    throw new ToolError(
      "LIMIT_EXCEEDED",
      `read tar: an extension header is ${header.size} bytes long`,
    );
  const content = header.size === 0 ? new Uint8Array(0) : await reader.read(header.size);
  if (content === undefined) throw new TarError("it ends inside an extension header");
  await reader.skip(paddingOf(header.size));
  return content;
}

function checked(header: RawHeader, options: ReadTarOptions): RawHeader {
  const longest = Math.max(Buffer.byteLength(header.path), Buffer.byteLength(header.linkTarget));
  if (longest > (options.maxPathBytes ?? 4096))
    throw new ToolError(
      "LIMIT_EXCEEDED",
      `read tar: a path of ${longest} bytes begins "${header.path.slice(0, 80)}"`,
    );
  const hasContent =
    header.type === "0" || header.type === "\u0000" || header.type === "7" || header.type === "";
  return hasContent ? header : { ...header, size: 0 };
}

const TYPES: Readonly<Record<string, TarEntryType>> = {
  "": "file",
  "\u0000": "file",
  "0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "device",
  "4": "device",
  "5": "directory",
  "6": "device",
};

function toEntry(header: RawHeader, clampsPaths: boolean): TarEntry {
  const type = TYPES[header.type];
  if (type === undefined)
    throw new TarError(
      `"${header.path}" has type ${JSON.stringify(header.type)}, which is not known`,
    );
  const isDirectory = type === "directory" || (type === "file" && header.path.endsWith("/"));
  if (isDirectory && header.size > 0)
    throw new TarError(`"${header.path}" is a folder with content`);
  const common = {
    path: plainPath(header.path, clampsPaths),
    mode: header.mode & 0o7777,
    size: header.size,
    uid: header.uid,
    gid: header.gid,
    ...(header.xattrs === undefined ? {} : { xattrs: header.xattrs }),
  };
  if (isDirectory) return { ...common, type: "directory", size: 0 };
  if (common.path === ".") throw new TarError(`"${header.path}" is the root, and no folder`);
  if (type === "hardlink")
    return { ...common, type, linkTarget: plainPath(header.linkTarget, clampsPaths) };
  if (type === "symlink") return { ...common, type, linkTarget: header.linkTarget };
  return type === "device" ? { ...common, type, device: deviceOf(header) } : { ...common, type };
}

function deviceOf({ type, deviceMajor: major, deviceMinor: minor }: RawHeader): TarDevice {
  return { kind: type === "6" ? "fifo" : type === "3" ? "character" : "block", major, minor };
}

/** `./a//b/` → `a/b`. */
function plainPath(path: string, clampsPaths: boolean): string {
  if (path.startsWith("/") && !clampsPaths) throw new TarError(`"${path}" is absolute`);
  if (path === "" || path.includes("\u0000")) throw new TarError(`"${path}" is no path`);
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (!clampsPaths) throw new TarError(`"${path}" leaves the archive`);
    else parts.pop();
  }
  return parts.length === 0 ? "." : parts.join("/");
}

function createBudget(options: ReadTarOptions): (entry: TarEntry) => void {
  let entries = 0;
  let total = 0;
  return (entry) => {
    entries += 1;
    total += entry.size;
    if (entries > (options.maxEntries ?? 1_000_000))
      throw new ToolError(
        "LIMIT_EXCEEDED",
        `read tar: it has more than ${options.maxEntries ?? 1_000_000} entries`,
      );
    if (total > (options.maxBytes ?? 2 ** 40))
      throw new ToolError(
        "LIMIT_EXCEEDED",
        `read tar: "${entry.path}" takes it over ${options.maxBytes ?? 2 ** 40} bytes`,
      );
  };
}
