import { Hdf5Error, MESSAGE, type Hdf5Source } from "./source.ts";

/** A message of an object's header: where its content lies. */
export interface HeaderMessage {
  readonly type: number;
  /** True when the content is a reference to another object's message. */
  readonly isShared: boolean;
  readonly start: number;
  readonly size: number;
}

interface Block {
  readonly start: number;
  readonly size: number;
}

const MAX_BLOCKS = 10_000;
const MAX_MESSAGES = 200_000;

/** Reads all messages of an object header, through its continuations. @see section IV.A.1, "Disk Format: Level 2A - Data Object Headers" */
export function readHeader(source: Hdf5Source, address: number): readonly HeaderMessage[] {
  return source.text(address, 4) === "OHDR"
    ? readNewHeader(source, address)
    : readOldHeader(source, address);
}

/** Version 1: messages are aligned to eight bytes. */
function readOldHeader(source: Hdf5Source, address: number): readonly HeaderMessage[] {
  const version = source.uint(address, 1);
  if (version !== 1) throw new Hdf5Error(`an object header has version ${version}`);
  const size = source.uint(address + 8, 4);
  return readBlocks(source, { start: address + 16, size }, (block, add) => {
    for (let at = block.start; at + 8 <= block.start + block.size;) {
      const length = source.uint(at + 2, 2);
      add({
        type: source.uint(at, 2),
        isShared: (source.uint(at + 4, 1) & 2) !== 0,
        start: at + 8,
        size: length,
      });
      at += 8 + length;
    }
  });
}

/** Version 2: blocks have a signature and a checksum, messages have one-byte types. */
function readNewHeader(source: Hdf5Source, address: number): readonly HeaderMessage[] {
  const version = source.uint(address + 4, 1);
  if (version !== 2) throw new Hdf5Error(`an object header has version ${version}`);
  const flags = source.uint(address + 5, 1);
  const sizeAt = address + 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
  const sizeBytes = 2 ** (flags & 3);
  const first = { start: sizeAt + sizeBytes, size: source.uint(sizeAt, sizeBytes) };
  const headBytes = 4 + (flags & 4 ? 2 : 0);
  return readBlocks(source, first, (block, add) => {
    const isFirst = block === first;
    const start = block.start + (isFirst ? 0 : 4);
    const end = block.start + block.size - (isFirst ? 0 : 4);
    for (let at = start; at + headBytes <= end;) {
      const length = source.uint(at + 1, 2);
      add({
        type: source.uint(at, 1),
        isShared: (source.uint(at + 3, 1) & 2) !== 0,
        start: at + headBytes,
        size: length,
      });
      at += headBytes + length;
    }
  });
}

function readBlocks(
  source: Hdf5Source,
  first: Block,
  readBlock: (block: Block, add: (message: HeaderMessage) => void) => void,
): readonly HeaderMessage[] {
  const blocks = [first];
  const messages: HeaderMessage[] = [];
  for (const block of blocks) {
    readBlock(block, (message) => {
      if (messages.length === MAX_MESSAGES) throw new Hdf5Error("an object has too many messages");
      messages.push(message);
      if (message.type !== MESSAGE.continuation) return;
      if (blocks.length === MAX_BLOCKS) throw new Hdf5Error("an object header has no end");
      blocks.push({
        start: source.address(message.start),
        size: source.length(message.start + source.offsetBytes),
      });
    });
  }
  return messages;
}
