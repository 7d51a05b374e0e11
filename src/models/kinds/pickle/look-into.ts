import { open, type FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { createInflateRaw } from "node:zlib";
import { CutError, fileFeed, PickleInput, streamFeed } from "./input.ts";
import { openPickle } from "./container.ts";
import type { PickleDeeds } from "./judge.ts";
import { Machine } from "./machine.ts";
import { PickleError } from "./pickle-error.ts";
import { scanPickle } from "./scan.ts";
import { hasZipEnd, zipMembers } from "./zip-members.ts";

/** What a file holds, told from its first bytes and not from its name. */
type Content = "pickle" | "zip" | "npy" | "packed" | "other";

const PICKLE_NAME = /\.(?:pkl|pickle|joblib|sav|dill|cloudpickle)(?:\.(?:z|gz|lz4|bz2|xz|lzma))?$/i;
const TORCH_NAME = /\.(?:pt|pth|ckpt|bin|npz|zip|skops|ptpkg)$/i;
const MAX_PICKLES = 1000;
const MAX_MEMBER_BYTES = 2 ** 33;

/**
 * Tells what loading a file as a pickle would do, whatever its name: pickles one after another, those that joblib packs, arrays of objects of
 * numpy, and members of archives. Nothing is executed.
 * @returns `undefined` when there is no pickle in it.
 */
export async function lookInto(
  location: string,
  name: string,
  signal?: AbortSignal,
): Promise<PickleDeeds | undefined> {
  const found = new Machine();
  const about = { found, signal };
  const file = await open(location);
  try {
    const { size } = await file.stat();
    const content = contentOf(await headOf(file));
    if (content === "zip" || (TORCH_NAME.test(name) && (await hasZipEnd(file, size))))
      await lookIntoZip(file, size, about);
    else if (content === "packed") await lookIntoPacked(location, name, about);
    else
      await walkAll(new PickleInput(fileFeed(unclosed(file), size)), { ...about, name, content });
    if (content !== "zip" && content !== "packed") await walkPlain(file, size, about);
  } finally {
    await file.close();
  }
  if (found.globals.size === 0 && found.faults.size === 0) return undefined;
  return {
    imports: [...found.globals.values()].map(({ path }) => path),
    calls: [...found.calls],
    faults: [...found.faults],
  };
}

interface Look {
  /** Where everything is noted. */
  readonly found: Machine;
  readonly signal: AbortSignal | undefined;
}

async function headOf(file: FileHandle): Promise<Buffer> {
  const head = Buffer.alloc(16);
  const { bytesRead } = await file.read(head, 0, head.byteLength, 0);
  return head.subarray(0, bytesRead);
}

const MAGICS: readonly (readonly [string, Content])[] = [
  ["504b0304", "zip"],
  ["934e554d5059", "npy"],
  ...["7801", "785e", "789c", "78da", "1f8b", "04224d18", "425a68", "fd377a585a", "5d0000"].map(
    (magic) => [magic, "packed"] as const,
  ),
];

function contentOf(head: Buffer): Content {
  const [first, protocol = 255] = head;
  if (first === 0x80 && protocol <= 5) return "pickle";
  const hex = head.toString("hex");
  return MAGICS.find(([magic]) => hex.startsWith(magic))?.[1] ?? "other";
}

/** A handle that a feed does not close. */
function unclosed(file: FileHandle): FileHandle {
  return Object.assign(Object.create(file) as FileHandle, {
    read: file.read.bind(file),
    close: () => Promise.resolve(),
  });
}

async function lookIntoPacked(location: string, name: string, look: Look): Promise<void> {
  const { input, compression } = await openPickle(location);
  if (input === undefined) {
    if (PICKLE_NAME.test(name))
      look.found.fault(
        `it is packed with ${compression ?? "what is not known"}, so that it cannot be looked into`,
      );
    return;
  }
  await using opened = input;
  await walkAll(opened, { ...look, name, content: "packed" });
}

/** The same bytes as an unpickler without joblib reads them: what stands in an array is opcodes to it. */
async function walkPlain(file: FileHandle, size: number, { found, signal }: Look): Promise<void> {
  const machine = new Machine();
  try {
    const input = new PickleInput(fileFeed(unclosed(file), size));
    await scanPickle(input, { machine, signal, isPlain: true });
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
  }
  // What stands in numbers is no call; only names that could be imported count.
  if (machine.calls.size === 0) return;
  for (const [path, name] of machine.globals)
    if (/^[\w.]+$/.test(path)) found.globals.set(path, name);
}

interface Walked extends Look {
  readonly name: string;
  readonly content: Content;
}

/** Walks over pickles that follow each other, as several calls of `pickle.load` read them. */
async function walkAll(input: PickleInput, walked: Walked): Promise<void> {
  const { found, name, content } = walked;
  try {
    if (content === "npy") await passNpyHead(input);
    for (let count = 0; count < MAX_PICKLES; count += 1)
      if (!(await walkNext(input, count, walked))) return;
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    // Some loaders stop before a wrong checksum; this walk has seen nothing at all.
    const isBroken = content === "packed" && !(error instanceof CutError);
    if (isBroken && PICKLE_NAME.test(name)) found.fault(`it cannot be followed (${error.message})`);
  }
}

/** @returns false when nothing behind it is looked at. */
async function walkNext(
  input: PickleInput,
  count: number,
  { found, signal, name, content }: Walked,
): Promise<boolean> {
  const isMarked = await beginsAsPickle(input);
  const isNamed = PICKLE_NAME.test(name);
  const isFirst = count === 0 && content !== "packed";
  if (!isMarked && !isNamed && !isFirst) return false;
  return walkOne(input, { found, signal, isStrict: isMarked || (isNamed && count === 0) });
}

async function beginsAsPickle(input: PickleInput): Promise<boolean> {
  await input.fill(2);
  const [first = 0, second = 255] = input.peek(2);
  return first === 0x80 && second <= 5;
}

/** @returns false when the walk failed, so that nothing behind it can be found. */
async function walkOne(
  input: PickleInput,
  { found, signal, isStrict }: Look & { readonly isStrict: boolean },
): Promise<boolean> {
  const machine = new Machine();
  const start = input.position;
  try {
    await scanPickle(input, { machine, signal });
    take(machine, found, isStrict || machine.calls.size > 0);
    return true;
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    // A name alone makes no pickle: the first byte must be an opcode at least.
    const hasBegun = input.position > start + 2;
    if (isStrict && hasBegun) machine.fault(`it cannot be followed (${error.message})`);
    take(machine, found, (isStrict && hasBegun) || machine.calls.size > 0);
    return false;
  }
}

function take(from: Machine, into: Machine, isPickle: boolean): void {
  if (!isPickle) return;
  for (const [path, name] of from.globals) into.globals.set(path, name);
  for (const call of from.calls) into.calls.add(call);
  for (const fault of from.faults) into.fault(fault);
}

/** Goes past the header of numpy's own format; what follows is a pickle when the type holds objects. */
async function passNpyHead(input: PickleInput): Promise<void> {
  await input.fill(12);
  const head = input.take(12);
  const isLong = (head[6] ?? 0) > 1;
  const length = isLong ? head.readUInt32LE(8) : head.readUInt16LE(8);
  await input.skip(length - (isLong ? 0 : 2));
}

async function lookIntoZip(file: FileHandle, size: number, look: Look): Promise<void> {
  const { members, names, faults } = await zipMembers(file, size);
  const before = look.found.globals.size;
  for (const member of members) {
    look.signal?.throwIfAborted();
    const stream = Readable.from(rangeOf(file, member.start, member.end));
    const bytes = member.isDeflated ? stream.pipe(createInflateRaw()) : stream;
    const input = new PickleInput(streamFeed(bytes as AsyncIterable<Uint8Array>, MAX_MEMBER_BYTES));
    await lookIntoMember(input, member.name, look);
    stream.destroy();
  }
  const hasPickles = look.found.globals.size > before || names.some((name) => /\.pkl$/i.test(name));
  for (const fault of faults) if (hasPickles || members.length === 0) look.found.fault(fault);
}

async function lookIntoMember(input: PickleInput, name: string, look: Look): Promise<void> {
  await using opened = input;
  try {
    await opened.fill(6);
    const content = contentOf(opened.peek(6));
    if (content === "zip") look.found.fault("it holds an archive in an archive");
    else if (content !== "packed") await walkAll(opened, { ...look, name, content });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (!code.startsWith("Z_") && !(error instanceof PickleError)) throw error;
    look.found.fault("a member cannot be unpacked");
  }
}

async function* rangeOf(file: FileHandle, start: number, end: number): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end;) {
    const chunk = Buffer.allocUnsafe(Math.min(64 * 1024, end - at));
    const { bytesRead } = await file.read(chunk, 0, chunk.byteLength, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}
