import type { FileHandle } from "node:fs/promises";
import type { Bytes } from "../../../ground/bytes/index.ts";
import { PickleError } from "./pickle-error.ts";

/** Where an input gets its bytes from, in order. */
export interface Feed {
  /** The next bytes; `undefined` at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** Goes past bytes that nobody wants to see. @returns how many there were. */
  skip(count: number): Promise<number>;
  close(): Promise<void>;
}

const WINDOW_BYTES = 64 * 1024;

/** A file from its beginning; what is skipped is not read. The handle is closed with the feed. */
export function fileFeed(file: FileHandle, size: number): Feed {
  let offset = 0;
  return {
    async next() {
      const window = Buffer.allocUnsafe(WINDOW_BYTES);
      const { bytesRead } = await file.read(window, 0, WINDOW_BYTES, offset);
      offset += bytesRead;
      return bytesRead === 0 ? undefined : window.subarray(0, bytesRead);
    },
    skip(count) {
      const passed = Math.min(count, Math.max(0, size - offset));
      offset += passed;
      return Promise.resolve(passed);
    },
    close: () => file.close(),
  };
}

/** A stream of at most `maxBytes`; beyond them it ends. What is skipped is read and dropped. */
export function streamFeed(bytes: Bytes, maxBytes: number): Feed {
  const iterator = bytes[Symbol.asyncIterator]();
  let left = maxBytes;
  let rest: Uint8Array | undefined;
  const next = async (): Promise<Uint8Array | undefined> => {
    if (rest !== undefined) {
      const chunk = rest;
      rest = undefined;
      return chunk;
    }
    if (left <= 0) return undefined;
    const { done, value } = await iterator.next();
    if (done === true) return undefined;
    left -= value.byteLength;
    return value;
  };
  return {
    next,
    async skip(count) {
      for (let passed = 0; ;) {
        const chunk = await next();
        if (chunk === undefined) return passed;
        if (passed + chunk.byteLength > count) {
          rest = chunk.subarray(count - passed);
          return count;
        }
        passed += chunk.byteLength;
        if (passed === count) return passed;
      }
    },
    close: async () => void (await iterator.return?.()),
  };
}

/** Reads a feed in small steps that need no promise while bytes are at hand. */
export class PickleInput {
  readonly #feed: Feed;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Bytes that were passed before the chunk. */
  #before = 0;

  constructor(feed: Feed) {
    this.#feed = feed;
  }

  /** Bytes passed so far. */
  get position(): number {
    return this.#before + this.#at;
  }

  has(count: number): boolean {
    return this.#chunk.byteLength - this.#at >= count;
  }

  /** Gets `count` bytes to hand. @throws PickleError when the content ends before. */
  async fill(count: number): Promise<void> {
    const chunks: Uint8Array[] = [this.#chunk.subarray(this.#at)];
    let length = this.#chunk.byteLength - this.#at;
    while (length < count) {
      const chunk = await this.#feed.next();
      if (chunk === undefined) throw new CutError();
      chunks.push(chunk);
      length += chunk.byteLength;
    }
    this.#before += this.#at;
    this.#chunk =
      chunks.length === 1 ? this.#chunk.subarray(this.#at) : Buffer.concat(chunks, length);
    this.#at = 0;
  }

  /** Bytes at hand; a view that stays valid. */
  take(count: number): Buffer {
    this.#at += count;
    return this.#chunk.subarray(this.#at - count, this.#at);
  }

  /** Up to `count` bytes at hand, which stay. */
  peek(count: number): Buffer {
    return this.#chunk.subarray(this.#at, this.#at + count);
  }

  /** A little-endian number at hand. */
  number(bytes: 1 | 2 | 4 | 8, isSigned: boolean): number {
    const at = this.#at;
    this.#at += bytes;
    if (bytes === 8) return Number(this.#chunk.readBigUInt64LE(at));
    return isSigned ? this.#chunk.readIntLE(at, bytes) : this.#chunk.readUIntLE(at, bytes);
  }

  /** Text of so many bytes at hand. */
  text(bytes: number): string {
    this.#at += bytes;
    return this.#chunk.toString("utf8", this.#at - bytes, this.#at);
  }

  /** The length before short text at hand, which stays; `undefined` where either is not there. */
  shortText(lengthBytes: 1 | 4 | 8, mostBytes: number): number | undefined {
    if (lengthBytes === 8 || !this.has(lengthBytes)) return undefined;
    const length = this.#chunk.readUIntLE(this.#at, lengthBytes);
    return length <= mostBytes && this.has(lengthBytes + length) ? length : undefined;
  }

  byte(): number {
    this.#at += 1;
    return this.#chunk[this.#at - 1] ?? 0;
  }

  /** The bytes before the next line feed, which is passed too. @throws PickleError when it is longer than `maxBytes`. */
  async line(maxBytes: number): Promise<string> {
    for (let seen = 0; ;) {
      const found = this.#chunk.indexOf(0x0a, this.#at + seen);
      if (found >= 0 && found - this.#at <= maxBytes) {
        const text = this.take(found - this.#at).toString("latin1");
        this.#at += 1;
        return text;
      }
      seen = this.#chunk.byteLength - this.#at;
      if (seen > maxBytes) throw new PickleError(`a line is longer than ${maxBytes} bytes`);
      await this.fill(seen + 1);
    }
  }

  /** Goes past bytes. @throws PickleError when the content ends before. */
  async skip(count: number): Promise<void> {
    const atHand = Math.min(count, this.#chunk.byteLength - this.#at);
    this.#at += atHand;
    if (atHand === count) return;
    const passed = await this.#feed.skip(count - atHand);
    this.#before += this.#chunk.byteLength + passed;
    this.#chunk = Buffer.alloc(0);
    this.#at = 0;
    if (passed < count - atHand) throw new CutError();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#feed.close();
  }
}

/** Thrown when the content ends before its last opcode. */
export class CutError extends PickleError {
  constructor() {
    super("it ends in the middle");
  }
}
