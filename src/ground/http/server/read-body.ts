import { ToolError } from "../../errors/index.ts";
import { createDecoder } from "./decode-body.ts";
import type { Exchange } from "./exchange.ts";

/** What a server takes of bodies. */
export interface BodyLimits {
  /** Of one body, unpacked. */
  readonly maxBodyBytes: number;
}

type Done = (error: ToolError | undefined, body: Buffer) => void;

/**
 * Reads a body whole and calls back once; never when the client goes away before its end. A body that came with `Content-Encoding: gzip`,
 * `x-gzip` or `deflate` is unpacked. Its memory is taken from the server's budget before it is read.
 * The error is `LIMIT_EXCEEDED` for a body beyond the limit, `SERVER_FULL` when the budget has no room, `ENCODING_UNSUPPORTED`, or
 * `REQUEST_INVALID` for bytes that are not what their encoding says. Nothing more is read then.
 */
export function readBody<Span>(
  exchange: Exchange<Span>,
  { maxBodyBytes }: BodyLimits,
  done: Done,
): void {
  const { headers } = exchange.request;
  const declared = headers["content-length"];
  const size = declared === undefined ? -1 : Number(declared);
  if (size === 0 || (size < 0 && headers["transfer-encoding"] === undefined)) {
    done(undefined, EMPTY);
    return;
  }
  if (size > maxBodyBytes) {
    exchange.request.pause();
    done(tooLarge(size, maxBodyBytes), EMPTY);
    return;
  }
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity")
    readEncoded(exchange, encoding, { maxBodyBytes }, done);
  else if (size > 0 && !exchange.takeMemory(size)) {
    exchange.request.pause();
    done(noRoom(), EMPTY);
  } else if (size > LARGE) collect(exchange, new FixedBody(size), done);
  else collect(exchange, new OpenBody(exchange, maxBodyBytes, size > 0), done);
}

const EMPTY = Buffer.alloc(0);
/** Bodies beyond this get their memory at once instead of chunk by chunk. */
const LARGE = 256 * 1024;

/** Gathers chunks; gives an error for one that goes too far. */
interface Body {
  add(chunk: Buffer): ToolError | undefined;
  take(): Buffer;
}

function collect<Span>(exchange: Exchange<Span>, body: Body, done: Done): void {
  const { request } = exchange;
  exchange.beginBody();
  request.on("data", (chunk: Buffer) => {
    const error = body.add(chunk);
    if (error === undefined) return;
    request.removeAllListeners("data");
    request.removeAllListeners("end");
    request.pause();
    done(error, EMPTY);
  });
  request.on("end", () => {
    exchange.endBody();
    done(undefined, body.take());
  });
}

function readEncoded<Span>(
  exchange: Exchange<Span>,
  encoding: string,
  { maxBodyBytes }: BodyLimits,
  done: Done,
): void {
  const { request } = exchange;
  const unpacked = new OpenBody(exchange, maxBodyBytes, false);
  let isOver = false;
  let stay: (() => void) | undefined;
  const finish = (error: ToolError | undefined): void => {
    isOver = true;
    stay?.();
    request.removeAllListeners("data");
    request.removeAllListeners("end");
    if (error === undefined) exchange.endBody();
    else request.pause();
    done(error, error === undefined ? unpacked.take() : EMPTY);
  };
  const decoder = createDecoder(encoding, { onChunk: (chunk) => unpacked.add(chunk), finish });
  if (decoder === undefined) {
    finish(
      new ToolError(
        "ENCODING_UNSUPPORTED",
        `read the request: the body has the encoding "${encoding.slice(0, 40)}"`,
        { hint: "send gzip, deflate, or no Content-Encoding" },
      ),
    );
    return;
  }
  exchange.beginBody();
  request.on("data", (chunk: Buffer) => {
    if (!decoder.write(chunk)) request.pause();
  });
  decoder.onDrain(() => {
    if (!isOver) request.resume();
  });
  request.on("end", () => decoder.end());
  stay = exchange.whenGone(() => decoder.destroy());
}

function tooLarge(size: number, maxBytes: number): ToolError {
  return new ToolError(
    "LIMIT_EXCEEDED",
    `read the request: the body has ${size > maxBytes + 1 ? size : `more than ${maxBytes}`} bytes, at most ${maxBytes} are allowed`,
    {
      hint: "raise maxBodyBytes in slipway.yaml, or send less",
    },
  );
}

function noRoom(): ToolError {
  return new ToolError(
    "SERVER_FULL",
    "read the request: the bodies of other requests take all the memory that bodies may have",
    { hint: "try again later, or send less at once" },
  );
}

/** For bodies that are small or of unknown size. */
class OpenBody<Span> {
  readonly #exchange: Exchange<Span>;
  readonly #maxBytes: number;
  /** True when the memory has been taken already. */
  readonly #isTaken: boolean;
  #first: Buffer | undefined;
  #chunks: Buffer[] | undefined;
  #size = 0;

  constructor(exchange: Exchange<Span>, maxBytes: number, isTaken: boolean) {
    this.#exchange = exchange;
    this.#maxBytes = maxBytes;
    this.#isTaken = isTaken;
  }

  add(chunk: Buffer): ToolError | undefined {
    this.#size += chunk.byteLength;
    if (this.#size > this.#maxBytes) return tooLarge(this.#maxBytes + 1, this.#maxBytes);
    if (!this.#isTaken && !this.#exchange.takeMemory(chunk.byteLength)) return noRoom();
    if (this.#first === undefined) this.#first = chunk;
    else (this.#chunks ??= [this.#first]).push(chunk);
    return undefined;
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

  add(chunk: Buffer): undefined {
    chunk.copy(this.#bytes, this.#at);
    this.#at += chunk.byteLength;
    return undefined;
  }

  take(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }
}
