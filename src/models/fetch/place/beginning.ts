import { appendFile, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { readRange, type Bytes } from "../../../ground/bytes/index.ts";
import { noFile } from "../../../ground/process/index.ts";

/**
 * What came of one content so far, so that another process can go on with it. `part-N` has its files. Beside it lie `.json`, which names the
 * content; and either `.bytes`, the content as it came, where its files do not give it back (zip, gzip, zstd); or `.log`, a line for each part of
 * the content: bytes as they are, or those of a file.
 */
export interface PartPlace {
  /** Absolute; folder of the files. */
  readonly folder: string;
  readonly head: string;
  readonly bytes: string;
  readonly log: string;
}

/** Where a content's files and its state lie. @param folder - absolute, of one model */
export function partPlace(folder: string, index: number): PartPlace {
  const path = join(folder, `part-${index}`);
  return { folder: path, head: `${path}.json`, bytes: `${path}.bytes`, log: `${path}.log` };
}

/** Removes all that came of a content. */
export async function removePart({ folder, head, bytes, log }: PartPlace): Promise<void> {
  for (const path of [head, bytes, log, folder]) await rm(path, { recursive: true, force: true });
}

/** What an earlier try left of a content. */
export interface Beginning {
  /** Bytes of the content. */
  readonly length: number;
  /** Names the content. */
  readonly validator: string;
  /** Name that the answer gave it. */
  readonly name: string;
  /** Bytes of the whole content, where they are known. */
  readonly size: number | undefined;
  /** Bytes by path of files that are there. */
  readonly kept: ReadonlyMap<string, number>;
  /** What is to be logged of the file that the beginning ends in. */
  readonly openMember: LoggedMember | undefined;
  /** True when it lies there as it came. */
  readonly isSpooled: boolean;
  /** The bytes again; those of files are all zero where `isExact` is false. */
  open(): Bytes;
}

/** A line of the log: bytes of the content from `at` on. */
type LogLine = { readonly at: number; readonly bytes: string } | LoggedMember;

/** Bytes of a content that are those of a file. */
export interface LoggedMember {
  readonly at: number;
  readonly size: number;
  /** Path of the file that has them; absent where they are nowhere. */
  readonly path?: string | undefined;
}

/** What the head of an answer says of a content. */
interface PartHead {
  readonly validator: string;
  readonly name: string;
  readonly size?: number | undefined;
}

interface NotedHead extends PartHead {
  /** Of the machine: what a power cut leaves in files is not known. */
  readonly boot: string;
}

/**
 * Reads what an earlier try left. Nothing where there is nothing of use; what is there is removed then.
 * @param isExact - the bytes will be hashed
 */
export async function readBeginning(
  place: PartPlace,
  isExact: boolean,
): Promise<Beginning | undefined> {
  const found = await findBeginning(place, isExact);
  if (found === undefined) await removePart(place);
  return found;
}

async function findBeginning(place: PartPlace, isExact: boolean): Promise<Beginning | undefined> {
  const head = parseHead(await readFile(place.head, "utf8").catch(noFile));
  if (head === undefined || head.boot !== (await bootId())) return undefined;
  const { validator, name, size } = head;
  const spooled = await stat(place.bytes).catch(noFile);
  if (spooled !== undefined) {
    await rm(place.folder, { recursive: true, force: true });
    const { size: length } = spooled;
    const none = { kept: new Map<string, number>(), openMember: undefined };
    const open = (): Bytes => fileBytes(place.bytes, length);
    return { validator, name, size, ...none, isSpooled: true, length, open };
  }
  const lines = parseLog((await readFile(place.log, "utf8").catch(noFile)) ?? "");
  const known = await knownLines(place, lines);
  if (known.length === 0 || (isExact && known.lines.some(isGap))) return undefined;
  await removeOthers(place, known.kept);
  await writeFile(place.log, known.lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const { kept, openMember, length } = known;
  const open = (): Bytes => replay(place, known, isExact);
  return { validator, name, size, kept, openMember, length, isSpooled: false, open };
}

function isGap(line: LogLine): boolean {
  return "size" in line && line.path === undefined;
}

/** Lines whose bytes are there, as far as they follow each other. */
interface KnownLines {
  readonly lines: readonly LogLine[];
  readonly kept: ReadonlyMap<string, number>;
  readonly openMember: LoggedMember | undefined;
  readonly length: number;
}

async function knownLines(place: PartPlace, all: readonly LogLine[]): Promise<KnownLines> {
  const lines: LogLine[] = [];
  const kept = new Map<string, number>();
  let length = 0;
  for (const line of all) {
    if (line.at !== length) break;
    lines.push(line);
    if ("bytes" in line) {
      length += Buffer.from(line.bytes, "base64").length;
      continue;
    }
    if (line.path === undefined) {
      length += line.size;
      continue;
    }
    const stats = await stat(join(place.folder, line.path)).catch(noFile);
    const bytes = Math.min(stats?.size ?? 0, line.size);
    if (stats !== undefined) kept.set(line.path, bytes);
    length += bytes;
    if (bytes < line.size) return { lines, kept, openMember: line, length };
  }
  return { lines, kept, openMember: undefined, length };
}

async function* replay(
  place: PartPlace,
  { lines, kept }: KnownLines,
  isExact: boolean,
): AsyncGenerator<Uint8Array> {
  for (const line of lines) {
    if ("bytes" in line) yield Buffer.from(line.bytes, "base64");
    else if (line.path === undefined) yield* zeros(line.size);
    else {
      const bytes = kept.get(line.path) ?? 0;
      yield* isExact ? fileBytes(join(place.folder, line.path), bytes) : zeros(bytes);
    }
  }
}

async function* fileBytes(path: string, end: number): AsyncGenerator<Uint8Array> {
  await using file = await open(path, "r");
  yield* readRange(file, { start: 0, end });
}

const ZEROS: Uint8Array = new Uint8Array(2 ** 20);

function* zeros(count: number): Generator<Uint8Array> {
  for (let left = count; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, left);
}

/** Files that the log does not know were written after its last line. */
async function removeOthers(
  { folder }: PartPlace,
  kept: ReadonlyMap<string, number>,
): Promise<void> {
  const entries =
    (await readdir(folder, { recursive: true, withFileTypes: true }).catch(noFile)) ?? [];
  for (const entry of entries) {
    const path = posix.join(entry.parentPath.slice(folder.length + 1), entry.name);
    if (!entry.isDirectory() && !kept.has(path)) await rm(join(folder, path), { force: true });
  }
}

/** Notes what comes of a content, for `readBeginning`. */
export interface PartRecorder {
  /** Tells what the content is, once; nothing is noted of one that cannot be known again. */
  begin(head: PartHead | undefined): Promise<void>;
  /** Passes the content from `start` on, and notes what is of no file. */
  tap(content: Bytes, start: number): Bytes;
  /** Bytes of the content are those of a file, or of none that is wanted. Told before the next chunk is asked for. */
  member(member: LoggedMember): void;
  /** Notes the content as it comes, its beginning included, in place of what is of no file. */
  spool(content: Bytes): Bytes;
}

/** @param beginning - what is noted already */
export function createPartRecorder(
  place: PartPlace,
  beginning: Beginning | undefined,
): PartRecorder {
  const start = beginning?.length ?? 0;
  const members: LoggedMember[] = beginning?.openMember === undefined ? [] : [beginning.openMember];
  let state: "unknown" | "noting" | "off" = "unknown";
  let pending: LogLine[] = [];
  const note = async (lines: readonly LogLine[]): Promise<void> => {
    if (state === "off" || lines.length === 0) return;
    pending.push(...lines);
    if (state === "unknown") return;
    const text = pending.map((line) => `${JSON.stringify(line)}\n`).join("");
    pending = [];
    await appendFile(place.log, text);
  };
  return {
    async begin(head) {
      state = head === undefined ? "off" : "noting";
      if (head === undefined || beginning !== undefined) return;
      const noted: NotedHead = { ...head, boot: await bootId() };
      await writeFile(place.head, JSON.stringify(noted));
    },
    member(member) {
      if (state !== "off" && member.at + member.size > start && member.at !== members[0]?.at)
        members.push(member);
    },
    async *tap(content, from) {
      let at = from;
      let last = beginning?.openMember;
      for await (const chunk of content) {
        try {
          yield chunk;
        } finally {
          // Also when the reader leaves: what it has not read is noted as it is.
          const noted = linesOf({ chunk, at, members, last });
          last = noted.last;
          at += chunk.byteLength;
          while (members.length > 1 && endOf(members[0]) <= at) members.shift();
          await note(noted.lines);
        }
      }
    },
    async *spool(content) {
      state = "off";
      await using file = await open(place.bytes, "a");
      let there = beginning?.length ?? 0;
      for await (const chunk of content) {
        const fresh = chunk.subarray(Math.min(there, chunk.byteLength));
        there -= chunk.byteLength - fresh.byteLength;
        if (fresh.byteLength > 0) await file.write(fresh);
        yield chunk;
      }
    },
  };
}

function endOf(member: LoggedMember | undefined): number {
  return member === undefined ? 0 : member.at + member.size;
}

/** Lines for a chunk that has been read: of each member that begins in it, and of what lies between. */
function linesOf({
  chunk,
  at,
  members,
  last: before,
}: {
  readonly chunk: Uint8Array;
  readonly at: number;
  readonly members: readonly LoggedMember[];
  /** The last one that has its line. */
  readonly last: LoggedMember | undefined;
}): { readonly lines: readonly LogLine[]; readonly last: LoggedMember | undefined } {
  const end = at + chunk.byteLength;
  const lines: LogLine[] = [];
  let last = before;
  let position = at;
  const literal = (to: number): void => {
    if (to > position)
      lines.push({
        at: position,
        bytes: Buffer.from(chunk.subarray(position - at, to - at)).toString("base64"),
      });
  };
  for (const member of members) {
    if (member.at > end || (endOf(member) <= at && member.at < at)) continue;
    if (member.at >= position && (last === undefined || member.at > last.at)) {
      literal(member.at);
      lines.push(member);
      last = member;
    }
    position = Math.max(position, Math.min(end, endOf(member)));
  }
  literal(end);
  return { lines, last };
}

async function bootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(noFile))?.trim() ?? "";
}

function parseHead(text: string | undefined): NotedHead | undefined {
  const { validator, name, boot, size } = parseJson(text);
  const areTexts =
    typeof validator === "string" && typeof name === "string" && typeof boot === "string";
  return areTexts
    ? { validator, name, boot, size: typeof size === "number" ? size : undefined }
    : undefined;
}

/** A line that a killed process did not finish ends it. */
function parseLog(text: string): readonly LogLine[] {
  const lines: LogLine[] = [];
  for (const line of text.split("\n")) {
    const { at, bytes, size, path } = parseJson(line);
    if (typeof at !== "number") break;
    if (typeof bytes === "string") lines.push({ at, bytes });
    else if (typeof size === "number")
      lines.push({ at, size, ...(typeof path === "string" && { path }) });
    else break;
  }
  return lines;
}

/** Fields of a JSON object; none for anything else. */
function parseJson(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(text ?? "") as unknown;
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {}; // the process was killed while it wrote, which is as good as nothing
  }
}
