import type { HeaderMessage } from "./object-header.ts";
import { Hdf5Error, MESSAGE, UNDEFINED_ADDRESS, type Hdf5Source } from "./source.ts";

const MAX_LINKS = 100_000;
const MAX_NAME_BYTES = 4096;
const MAX_DEPTH = 32;

/** Names in a group and the addresses of what they stand for. Soft and external links are left out. @throws Hdf5Error */
export function readLinks(
  source: Hdf5Source,
  messages: readonly HeaderMessage[],
): ReadonlyMap<string, number> {
  const links = new Map<string, number>();
  for (const { type, start } of messages) {
    if (type === MESSAGE.symbolTable) readSymbolTable(source, start, links);
    if (type === MESSAGE.link) readLinkMessage(source, start, links);
    if (type === MESSAGE.linkInfo) refuseDense(source, start);
  }
  return links;
}

/** @see section IV.A.2.r, "The Symbol Table Message" */
function readSymbolTable(source: Hdf5Source, start: number, links: Map<string, number>): void {
  const tree = source.address(start);
  const heap = source.address(start + source.offsetBytes);
  if (source.text(heap, 4) !== "HEAP") throw new Hdf5Error("a group has no heap for its names");
  const names = source.address(heap + 8 + 2 * source.lengthBytes);
  readTree(source, { address: tree, names, depth: 0, links });
}

interface TreeWalk {
  readonly address: number;
  /** Where the heap's names begin. */
  readonly names: number;
  readonly depth: number;
  readonly links: Map<string, number>;
}

/** A version 1 B-tree whose leaves are symbol table nodes. @see section III.A.1 */
function readTree(source: Hdf5Source, walk: TreeWalk): void {
  const { address, depth } = walk;
  if (depth > MAX_DEPTH) throw new Hdf5Error("a group is nested too deep");
  const signature = source.text(address, 4);
  if (signature === "SNOD") return readSymbols(source, walk);
  if (signature !== "TREE") throw new Hdf5Error("a group has no tree of names");
  const used = source.uint(address + 6, 2);
  const first = address + 8 + 2 * source.offsetBytes + source.lengthBytes;
  const step = source.offsetBytes + source.lengthBytes;
  for (let index = 0; index < used; index += 1)
    readTree(source, { ...walk, address: source.address(first + index * step), depth: depth + 1 });
}

/** @see section III.B, "Disk Format: Level 1B - Group Symbol Table Nodes" */
function readSymbols(source: Hdf5Source, { address, names, links }: TreeWalk): void {
  const count = source.uint(address + 6, 2);
  const step = 2 * source.offsetBytes + 24;
  for (let index = 0; index < count; index += 1) {
    const at = address + 8 + index * step;
    const isSoft = source.uint(at + 2 * source.offsetBytes, 4) === 2;
    const name = source.zeroEnded(names + source.uint(at, source.offsetBytes), MAX_NAME_BYTES);
    if (!isSoft) addLink(links, name, source.address(at + source.offsetBytes));
  }
}

/** @see section IV.A.2.g, "The Link Message" */
function readLinkMessage(source: Hdf5Source, start: number, links: Map<string, number>): void {
  const flags = source.uint(start + 1, 1);
  let at = start + 2;
  const linkType = flags & 8 ? source.uint(at, 1) : 0;
  at += (flags & 8 ? 1 : 0) + (flags & 4 ? 8 : 0) + (flags & 16 ? 1 : 0);
  const widthBytes = 2 ** (flags & 3);
  const nameBytes = source.uint(at, widthBytes);
  if (nameBytes > MAX_NAME_BYTES) throw new Hdf5Error(`a name has ${nameBytes} bytes`);
  const name = source.bytes(at + widthBytes, nameBytes).toString("utf8");
  if (linkType === 0) addLink(links, name, source.address(at + widthBytes + nameBytes));
}

/** @see section IV.A.2.c, "The Link Info Message" */
function refuseDense(source: Hdf5Source, start: number): void {
  const flags = source.uint(start + 1, 1);
  if (source.address(start + 2 + (flags & 1 ? 8 : 0)) !== UNDEFINED_ADDRESS)
    throw new Hdf5Error("a group keeps its names in dense storage, which is not read here");
}

function addLink(links: Map<string, number>, name: string, address: number): void {
  if (links.size === MAX_LINKS) throw new Hdf5Error("a group has too many names");
  links.set(name, address);
}
