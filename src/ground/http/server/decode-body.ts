import { createGunzip, createInflate, type Gunzip, type Inflate } from "node:zlib";
import { ToolError } from "../../errors/index.ts";

/** Unpacks what is written to it, piece by piece, so that what comes out can be counted while it comes. */
export interface Decoder {
  /** False when the caller is to wait for `onDrain`. */
  write(chunk: Buffer): boolean;
  onDrain(resume: () => void): void;
  /** No more comes. */
  end(): void;
  /** Gives up; nothing is called any more. */
  destroy(): void;
}

/** What a decoder tells. */
export interface DecoderTarget {
  /** An error ends the decoding with it. */
  onChunk(chunk: Buffer): ToolError | undefined;
  /** Called once: all is out, or why not. */
  finish(error: ToolError | undefined): void;
}

/** A decoder for a `Content-Encoding`; undefined for one that is not known. @see RFC 9110, 8.4.1 Content Codings */
export function createDecoder(encoding: string, target: DecoderTarget): Decoder | undefined {
  const stream = streamFor(encoding.trim().toLowerCase());
  if (stream === undefined) return undefined;
  let isOver = false;
  const finish = (error: ToolError | undefined): void => {
    if (isOver) return;
    isOver = true;
    stream.destroy();
    target.finish(error);
  };
  stream.on("data", (chunk: Buffer) => {
    const error = isOver ? undefined : target.onChunk(chunk);
    if (error !== undefined) finish(error);
  });
  stream.on("end", () => finish(undefined));
  stream.on("error", (error) =>
    finish(
      new ToolError("REQUEST_INVALID", `read the request: the body is not ${encoding}`, {
        cause: error,
      }),
    ),
  );
  return {
    write: (chunk) => isOver || stream.write(chunk),
    onDrain: (resume) => void stream.on("drain", resume),
    end: () => void (isOver || stream.end()),
    destroy: () => {
      isOver = true;
      stream.destroy();
    },
  };
}

function streamFor(encoding: string): Gunzip | Inflate | undefined {
  if (encoding === "gzip" || encoding === "x-gzip") return createGunzip();
  return encoding === "deflate" ? createInflate() : undefined;
}
