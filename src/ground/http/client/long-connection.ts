import { connect, type OnReadOpts, type Socket, type TcpNetConnectOpts } from "node:net";
import { Duplex } from "node:stream";
import type { ConnectionOptions } from "node:tls";
import { nodeTls } from "../secure-modules.ts";

/** A connection for one answer with a long body: Node's client reads the head, and the body comes past it in large pieces. */
export interface LongConnection {
  /** What Node's client speaks over. */
  readonly stream: Duplex;
  /**
   * The next `size` bytes behind the head. Each chunk stays as it is until 3 MiB more were taken; then its memory is used again.
   * In place of `pass`, and once. Leaving it early ends the connection.
   * @throws Error `ECONNRESET` when the connection ends before; what ended it otherwise
   */
  take(size: number): AsyncGenerator<Uint8Array, void, undefined>;
  /** Lets Node's client read what comes behind the head. */
  pass(): void;
}

const PIECE_BYTES = 2 ** 20;
/** Pieces that are full and not taken; the connection rests then. */
const MAX_WAITING = 3;
/** One is being filled, `MAX_WAITING` wait, and the rest is with whoever took it. */
const PIECES = 8;
const HEAD_END = "\r\n\r\n";
/** A longer head is left to Node's client to refuse. */
const MAX_HEAD_BYTES = 2 ** 16;
/** An answer before the answer. @see RFC 9110, 15.2 */
const INTERIM = /^HTTP\/1\.\d 1(?!01)/;

/** Where a connection goes; `tls` is there for HTTPS. */
export interface LongTarget {
  readonly socket: TcpNetConnectOpts;
  readonly tls?: ConnectionOptions | undefined;
}

/** Opens a connection. @param target - as Node's `connect` takes it */
export function openLongConnection(target: LongTarget): LongConnection {
  const reader = new LongReader();
  const onread: OnReadOpts = {
    buffer: () => reader.room(),
    callback: (count) => reader.filled(count),
  };
  const options = { ...target.socket, onread };
  const socket =
    target.tls === undefined ? connect(options) : nodeTls().connect({ ...target.tls, ...options });
  const stream = new LongStream(socket, reader);
  reader.attach(socket, stream);
  return { stream, pass: () => reader.pass(), take: (size) => reader.take(size) };
}

/** What Node's client sees of the connection: all that it writes, and what it is meant to read. */
class LongStream extends Duplex {
  readonly #socket: Socket;
  readonly #reader: LongReader;

  constructor(socket: Socket, reader: LongReader) {
    super();
    this.#socket = socket;
    this.#reader = reader;
    const isTls = "encrypted" in socket;
    socket.once(isTls ? "secureConnect" : "connect", () => this.emit("connect"));
  }

  /** As that of a socket. */
  get connecting(): boolean {
    return this.#socket.connecting;
  }

  override _read(): void {
    this.#reader.resume();
  }

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    done: (error?: Error | null) => void,
  ): void {
    this.#socket.write(chunk, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    this.#reader.end(error);
    done(error);
  }
}

/**
 * Routes the bytes that come: those of a head go to Node's client; those behind it are held until somebody claims them.
 */
class LongReader {
  #phase: "head" | "held" | "passing" | "taking" = "head";
  #socket: Socket | undefined;
  #stream: LongStream | undefined;
  readonly #ring: Buffer[] = [];
  #serial = 0;
  /** Being filled; bytes from `#start` to `#fill` are nobody's yet. */
  #piece: Buffer | undefined;
  #start = 0;
  #fill = 0;
  #waiting: Uint8Array[] = [];
  #isEnded = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  attach(socket: Socket, stream: LongStream): void {
    this.#socket = socket;
    this.#stream = stream;
    socket.on("error", (error) => this.end(error));
    socket.once("end", () => this.end(null));
    socket.once("close", () => this.end(null));
  }

  /** Memory for what comes next; Node asks for it right after it has told of what came before. */
  room(): Uint8Array {
    if (this.#piece === undefined || this.#fill === this.#piece.length) {
      this.#piece = this.#ring[this.#serial % PIECES] ??= Buffer.allocUnsafeSlow(PIECE_BYTES);
      this.#serial += 1;
      this.#start = this.#fill = 0;
    }
    return this.#piece.subarray(this.#fill);
  }

  /** So many bytes came into the memory. @returns false when no more are to be read for now */
  filled(count: number): boolean {
    const from = this.#fill;
    this.#fill += count;
    if (this.#phase === "head") this.#readHead(from);
    if (this.#phase === "passing") return this.#pushOn();
    const isFull = this.#fill === PIECE_BYTES;
    if (isFull && this.#phase !== "head") this.#waiting.push(...this.#partial());
    switch (this.#phase) {
      case "head":
        return true;
      case "held":
        return !isFull;
      case "taking":
        this.#wake?.();
        return this.#waiting.length < MAX_WAITING;
      default:
        return this.#phase satisfies never;
    }
  }

  /** Nothing more will come. */
  end(error: Error | null): void {
    this.#error ??= error ?? undefined;
    this.#isEnded = true;
    this.#wake?.();
    if (this.#phase === "head" || this.#phase === "passing") this.#endStream();
  }

  resume(): void {
    if (this.#phase === "passing") this.#socket?.resume();
  }

  pass(): void {
    if (this.#phase !== "held" && this.#phase !== "head") return;
    this.#phase = "passing";
    this.#pushOn();
    if (this.#isEnded) this.#endStream();
    else this.#socket?.resume();
  }

  async *take(size: number): AsyncGenerator<Uint8Array, void, undefined> {
    this.#phase = "taking";
    try {
      for (let left = size; left > 0;) {
        const [chunk] = this.#waiting.length > 0 ? this.#waiting.splice(0, 1) : this.#partial();
        if (!this.#isEnded && this.#waiting.length < MAX_WAITING) this.#socket?.resume();
        if (chunk === undefined) await this.#next();
        else {
          const wanted = chunk.subarray(0, left);
          left -= wanted.byteLength;
          yield wanted;
        }
      }
    } finally {
      this.#stream?.destroy();
    }
  }

  /** Waits for bytes. @throws Error when none will come */
  async #next(): Promise<void> {
    if (this.#isEnded)
      throw this.#error ?? Object.assign(new Error("aborted"), { code: "ECONNRESET" });
    await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
  }

  /** What is nobody's yet of the piece that is being filled. */
  #partial(): Uint8Array[] {
    if (this.#piece === undefined || this.#start === this.#fill) return [];
    const part = this.#piece.subarray(this.#start, this.#fill);
    this.#start = this.#fill;
    return [part];
  }

  #readHead(from: number): void {
    const seen = this.#piece?.subarray(0, this.#fill) ?? Buffer.alloc(0);
    const at = seen.indexOf(HEAD_END, Math.max(this.#start, from - HEAD_END.length + 1));
    const end = at === -1 ? this.#fill : at + HEAD_END.length;
    const isInterim = INTERIM.test(seen.toString("latin1", this.#start, this.#start + 16));
    if (at !== -1) {
      if (!isInterim) this.#phase = "held";
      this.#start = end;
    } else if (this.#fill - this.#start > MAX_HEAD_BYTES) {
      this.#phase = "passing";
      this.#start = this.#fill;
    }
    this.#stream?.push(Buffer.from(seen.subarray(from, end)));
    if (this.#phase === "head" && end < seen.length) this.#readHead(end);
  }

  /** @returns false when Node's client has enough for now */
  #pushOn(): boolean {
    let wantsMore = true;
    for (const part of [...this.#waiting.splice(0), ...this.#partial()])
      wantsMore = this.#stream?.push(Buffer.from(part)) === true;
    return wantsMore;
  }

  #endStream(): void {
    if (this.#stream?.destroyed === true || this.#stream?.readableEnded === true) return;
    if (this.#error === undefined) this.#stream?.push(null);
    else this.#stream?.destroy(this.#error);
  }
}
