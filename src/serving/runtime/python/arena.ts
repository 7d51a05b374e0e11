import {
  closeSync,
  ftruncateSync,
  openSync,
  readSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { Places } from "./places.ts";
import { PAGE_BYTES } from "./wire.ts";

export interface ArenaOptions {
  /** A folder on a memory file system. Default `/dev/shm`. */
  readonly folder: string;
  /** Bytes in each direction; the files are sparse, so only what is written takes memory. */
  readonly bytes: number;
}

/**
 * Shared memory with one worker: a file for each direction, unlinked as soon as it is open, so that nothing is left behind
 * whoever dies. Written with `write` rather than mapped, so that a full /dev/shm is an error and not a signal.
 * Page 0 of the outgoing file is the status page: the worker writes there which request it has begun.
 */
export class Arena {
  readonly outgoing: number;
  readonly incoming: number;
  readonly bytes: number;
  readonly #places: Places;

  constructor(options: ArenaOptions) {
    this.bytes = options.bytes;
    this.outgoing = openUnnamed(options);
    try {
      this.incoming = openUnnamed(options);
    } catch (error) {
      closeSync(this.outgoing);
      throw error;
    }
    this.#places = new Places(1, Math.floor(options.bytes / PAGE_BYTES));
  }

  /** Copies `data` into a free place; its first page, or -1 when there is no room. */
  write(data: Uint8Array): number {
    const page = this.#places.take(data.byteLength);
    if (page < 0) return -1;
    try {
      for (let done = 0; done < data.byteLength;)
        done += writeSync(
          this.outgoing,
          data,
          done,
          data.byteLength - done,
          page * PAGE_BYTES + done,
        );
      return page;
    } catch {
      this.#places.giveBack(page); // no space left on the memory file system: the data goes inside the frame instead
      return -1;
    }
  }

  /** A copy of what the worker has put at `page`; undefined when it does not lie in the file. */
  read(page: number, size: number): Buffer | undefined {
    const start = page * PAGE_BYTES;
    if (start + size > this.bytes) return undefined;
    const data = Buffer.allocUnsafeSlow(size);
    for (let done = 0; done < size;) {
      const count = readSync(this.incoming, data, done, size - done, start + done);
      if (count === 0) return undefined;
      done += count;
    }
    return data;
  }

  /** False when the page was not taken. */
  giveBack(page: number): boolean {
    return this.#places.giveBack(page);
  }

  get taken(): number {
    return this.#places.taken;
  }

  /** The request that the worker began last, also when it is dead; 0 before the first. */
  begunRequest(): number {
    const word = Buffer.alloc(4);
    readSync(this.outgoing, word, 0, 4, 0);
    return word.readUInt32LE(0);
  }

  close(): void {
    closeSync(this.outgoing);
    closeSync(this.incoming);
  }
}

/** An arena, or undefined where the folder is missing, read-only or too small: everything goes inside frames then. */
export function openArena(options: ArenaOptions & { readonly workers: number }): Arena | undefined {
  try {
    const { bavail, bsize } = statfsSync(options.folder);
    const share = Math.floor((bavail * bsize) / (4 * options.workers));
    const bytes = Math.min(options.bytes, share) - (Math.min(options.bytes, share) % PAGE_BYTES);
    return bytes < 2 ** 20 ? undefined : new Arena({ folder: options.folder, bytes });
  } catch {
    return undefined; // no memory file system here: data goes inside the frames
  }
}

/** The name is free, since no other process has this number now and the clock goes on; "wx" refuses one that somebody has taken all the same. */
function openUnnamed({ folder, bytes }: ArenaOptions): number {
  const path = join(folder, `.slipway-${process.pid}-${process.hrtime.bigint()}`);
  const descriptor = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  ftruncateSync(descriptor, bytes);
  return descriptor;
}
