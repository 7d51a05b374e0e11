import type { IncomingMessage } from "node:http";
import { ToolError } from "../../../ground/errors/index.ts";

/**
 * Reads a body whole and calls back once; never when the client goes away before its end.
 * The error is `LIMIT_EXCEEDED` for a body beyond `maxBytes`; its rest is not read then.
 */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
  done: (error: ToolError | undefined, body: Buffer) => void,
): void {
  const declared = request.headers["content-length"];
  const size = declared === undefined ? -1 : Number(declared);
  if (size > maxBytes) {
    request.pause();
    done(tooLarge(size, maxBytes), EMPTY);
    return;
  }
  if (size === 0 || (size < 0 && request.headers["transfer-encoding"] === undefined)) {
    done(undefined, EMPTY);
    return;
  }
  const body = size > LARGE ? new FixedBody(size) : new OpenBody(maxBytes);
  request.on("data", (chunk: Buffer) => {
    if (body.add(chunk)) return;
    request.removeAllListeners("data");
    request.removeAllListeners("end");
    request.pause();
    done(tooLarge(maxBytes + 1, maxBytes), EMPTY);
  });
  request.on("end", () => done(undefined, body.take()));
}

const EMPTY = Buffer.alloc(0);
/** Bodies beyond this get their memory at once instead of chunk by chunk. */
const LARGE = 256 * 1024;

function tooLarge(size: number, maxBytes: number): ToolError {
  return new ToolError(
    "LIMIT_EXCEEDED",
    `read the request: the body has ${size > maxBytes + 1 ? size : `more than ${maxBytes}`} bytes, at most ${maxBytes} are allowed`,
    {
      hint: "raise maxBodyBytes in slipway.yaml, or send less",
    },
  );
}

class OpenBody {
  readonly #maxBytes: number;
  #first: Buffer | undefined;
  #chunks: Buffer[] | undefined;
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(chunk: Buffer): boolean {
    this.#size += chunk.byteLength;
    if (this.#first === undefined) this.#first = chunk;
    else (this.#chunks ??= [this.#first]).push(chunk);
    return this.#size <= this.#maxBytes;
  }

  take(): Buffer {
    return this.#chunks === undefined
      ? (this.#first ?? EMPTY)
      : Buffer.concat(this.#chunks, this.#size);
  }
}

/** The parser of Node lets no more bytes through than were declared. */
class FixedBody {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  add(chunk: Buffer): boolean {
    chunk.copy(this.#bytes, this.#at);
    this.#at += chunk.byteLength;
    return true;
  }

  take(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }
}
