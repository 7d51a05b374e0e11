import { constants, gunzip, inflate } from "node:zlib";
import type { GrpcFailure } from "./status.ts";

const PREFIX_BYTES = 5;
/** Bytes of a message that is still coming. */
const NO_BYTES = Buffer.alloc(0);
/** Messages from this size on get memory of their own at once: they are not copied at their end, and can be handed to a thread. */
const OWN_MEMORY_BYTES = 256 * 1024;

export interface MessageReaderOptions {
  /** Of a message, packed and unpacked. */
  readonly maxBytes: number;
  /** The header `grpc-encoding`; absent for plain messages. */
  readonly encoding: string | undefined;
  readonly onMessage: (message: Buffer) => void;
  readonly onFailure: (failure: GrpcFailure) => void;
}

/** Cuts the body of a request into length-prefixed messages and unpacks them. @see gRPC over HTTP2, Length-Prefixed-Message */
export class MessageReader {
  readonly #options: MessageReaderOptions;
  #chunks: Buffer[] = [];
  #size = 0;
  #need = PREFIX_BYTES;
  /** A large message that is being filled. */
  #large: { readonly bytes: Buffer; readonly isPacked: boolean; filled: number } | undefined;
  #isEnded = false;
  /** Unpacking takes turns, so that messages stay in order. */
  #unpacking: Promise<void> | undefined;

  constructor(options: MessageReaderOptions) {
    this.#options = options;
  }

  /** Memory of the message that has begun and is not whole, in bytes. */
  get heldBytes(): number {
    return this.#size + (this.#large?.bytes.byteLength ?? 0);
  }

  /** Resolves when all whole messages have been handed over. */
  get settled(): Promise<void> | undefined {
    return this.#unpacking;
  }

  /** Takes the next bytes; after a failure they are dropped. */
  push(chunk: Buffer): void {
    const rest = this.#isEnded || this.#large === undefined ? chunk : this.#fill(chunk);
    if (this.#isEnded || rest.byteLength === 0) return;
    this.#chunks.push(rest);
    this.#size += rest.byteLength;
    while (this.#size >= this.#need && !this.#isEnded) this.#cut();
  }

  /** Takes what belongs to the large message; the rest is the next one's. */
  #fill(chunk: Buffer): Buffer {
    const large = this.#large;
    if (large === undefined) return chunk;
    const taken = chunk.copy(large.bytes, large.filled);
    large.filled += taken;
    if (large.filled === large.bytes.byteLength) {
      this.#large = undefined;
      this.#deliver(large.bytes, large.isPacked);
    }
    return chunk.subarray(taken);
  }

  #cut(): void {
    const bytes =
      this.#chunks.length === 1
        ? (this.#chunks[0] ?? NO_BYTES)
        : Buffer.concat(this.#chunks, this.#size);
    this.#chunks = [bytes];
    const length = bytes.readUInt32BE(1);
    if (length > this.#options.maxBytes) {
      this.#fail({
        status: "RESOURCE_EXHAUSTED",
        message: `Received message larger than max (${length} vs. ${this.#options.maxBytes})`,
      });
      return;
    }
    const isPacked = bytes[0] === 1;
    if (!isPacked && bytes[0] !== 0) {
      this.#fail({
        status: "INTERNAL",
        message: `a message with the compression flag ${bytes[0]}`,
      });
      return;
    }
    this.#need = PREFIX_BYTES + length;
    if (this.#size >= this.#need) {
      this.#chunks = this.#size === this.#need ? [] : [bytes.subarray(this.#need)];
      this.#size -= this.#need;
      this.#need = PREFIX_BYTES;
      this.#deliver(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + length), isPacked);
    } else if (length >= OWN_MEMORY_BYTES) {
      this.#large = { bytes: Buffer.allocUnsafeSlow(length), isPacked, filled: 0 };
      this.#chunks = [];
      this.#size = 0;
      this.#need = PREFIX_BYTES;
      this.#fill(bytes.subarray(PREFIX_BYTES));
    }
  }

  #deliver(message: Buffer, isPacked: boolean): void {
    if (!isPacked && this.#unpacking === undefined) this.#options.onMessage(message);
    else
      this.#unpacking = (this.#unpacking ?? Promise.resolve()).then(() =>
        this.#hand(message, isPacked),
      );
  }

  async #hand(message: Buffer, isPacked: boolean): Promise<void> {
    if (this.#isEnded) return;
    if (!isPacked) {
      this.#options.onMessage(message);
      return;
    }
    const { encoding, maxBytes } = this.#options;
    const unpacked = await unpack(message, encoding, maxBytes);
    if (this.#isEnded) return;
    if (Buffer.isBuffer(unpacked)) this.#options.onMessage(unpacked);
    else this.#fail(unpacked);
  }

  /** Forgets what is held, and takes no more. */
  drop(): void {
    this.#isEnded = true;
    this.#chunks = [];
    this.#large = undefined;
    this.#size = 0;
  }

  #fail(failure: GrpcFailure): void {
    this.drop();
    this.#options.onFailure(failure);
  }
}

function unpack(
  message: Buffer,
  encoding: string | undefined,
  maxBytes: number,
): Promise<Buffer | GrpcFailure> {
  if (encoding !== "gzip" && encoding !== "deflate") {
    const message =
      encoding === undefined || encoding === "identity"
        ? "a compressed message without grpc-encoding"
        : `Compression method "${encoding}" is not supported`;
    return Promise.resolve({ status: "INTERNAL", message });
  }
  return new Promise((resolve) => {
    const done = (error: NodeJS.ErrnoException | null, result: Buffer): void => {
      if (error === null) resolve(result);
      else if (error.code === "ERR_BUFFER_TOO_LARGE")
        resolve({
          status: "RESOURCE_EXHAUSTED",
          message: `Received message larger than max (more than ${maxBytes} after decompression)`,
        });
      else
        resolve({
          status: "INTERNAL",
          message: `the ${encoding} message cannot be unpacked: ${error.message}`,
        });
    };
    const options = { maxOutputLength: maxBytes, finishFlush: constants.Z_FINISH };
    if (encoding === "gzip") gunzip(message, options, done);
    else inflate(message, options, done);
  });
}
