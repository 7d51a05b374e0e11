import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { isToolError, stripControls, ToolError } from "../../ground/errors/index.ts";
import { createHttpClient, type HttpResponse } from "../../ground/http/index.ts";
import type { Places } from "../session.ts";
import { formatBytes } from "../format.ts";

/** What a server answered to one file. */
export interface FileAnswer {
  /** As the user wrote it. */
  readonly file: string;
  readonly status: number;
  /** Empty when the server does not say. */
  readonly type: string;
  /** Of the whole body. */
  readonly sizeBytes: number;
  /** Absent for what is no text. A long one is cut. */
  readonly text?: string;
  readonly tookMs: number;
}

export interface Target {
  readonly url: string;
  readonly timeoutMs: number;
  /** What the server printed last, for errors. */
  readonly lastLines: () => Promise<string>;
}

/** Of a body this much is kept. */
const MAX_KEPT_BYTES = 64 * 1024;
const MAX_SHOWN_CHARS = 2000;

/** Posts a file as a body of raw bytes. @throws ToolError `MODEL_FAILED` for an answer that is not 2xx or breaks off, `TIMEOUT`. */
export async function postFile(
  file: string,
  { url, timeoutMs, lastLines }: Target,
  { cwd, signal }: Places,
): Promise<FileAnswer> {
  const path = resolve(cwd, file);
  const { size } = await stat(path);
  using client = createHttpClient({ timeouts: { idleMs: timeoutMs, answerMs: timeoutMs } });
  const late = AbortSignal.timeout(timeoutMs);
  const startedAt = performance.now();
  try {
    const response = await client.send({
      action: `test "${file}"`,
      method: "POST",
      url: new URL(url),
      body: { kind: "stream", content: createReadStream(path), size },
      signal: AbortSignal.any([late, signal]),
    });
    const { kept, sizeBytes } = await readSome(response);
    const text = answerText(kept, sizeBytes);
    const reply: FileAnswer = {
      file,
      status: response.status,
      type: response.header("content-type") ?? "",
      sizeBytes,
      tookMs: performance.now() - startedAt,
      ...(text !== undefined && { text }),
    };
    if (response.status < 200 || response.status > 299)
      throw refuse(file, `the packed server answered ${reply.status}${bodyOf(reply)}`);
    return reply;
  } catch (error) {
    signal.throwIfAborted();
    if (late.aborted)
      throw new ToolError(
        "TIMEOUT",
        `test "${file}": the packed server gave no whole answer within ${timeoutMs / 1000} s`,
        { hint: "nothing was pushed; give it more time with --test-timeout" },
      );
    if (isToolError(error) && error.code === "REGISTRY_UNREACHABLE")
      throw refuse(
        file,
        `the packed server gave no answer; its last lines:\n${linesOf(await lastLines())
          .slice(-20)
          .join("\n")}`,
        error,
      );
    throw error;
  }
}

function refuse(file: string, why: string, cause?: unknown): ToolError {
  return new ToolError("MODEL_FAILED", `test "${file}": ${why}`, {
    cause,
    hint: "nothing was pushed; correct the class or the file, and pack again",
  });
}

function bodyOf({ text, sizeBytes, type }: FileAnswer): string {
  if (text === undefined)
    return sizeBytes === 0
      ? ""
      : `, with ${formatBytes(sizeBytes)} of ${type === "" ? "no known type" : stripControls(type)}`;
  return `:\n${linesOf(text).join("\n")}`;
}

async function readSome(
  response: HttpResponse,
): Promise<{ readonly kept: Buffer; readonly sizeBytes: number }> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body()) {
    if (sizeBytes < MAX_KEPT_BYTES) chunks.push(chunk.subarray(0, MAX_KEPT_BYTES - sizeBytes));
    sizeBytes += chunk.byteLength;
  }
  return { kept: Buffer.concat(chunks), sizeBytes };
}

/** The body when it reads as text: UTF-8 without the byte 0. */
function answerText(kept: Buffer, sizeBytes: number): string | undefined {
  if (sizeBytes === 0 || kept.includes(0)) return undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(kept, {
      stream: kept.byteLength < sizeBytes,
    });
    const isCut = text.length > MAX_SHOWN_CHARS || kept.byteLength < sizeBytes;
    return isCut ? `${text.slice(0, MAX_SHOWN_CHARS)}… (${formatBytes(sizeBytes)} in all)` : text;
  } catch {
    return undefined; // no UTF-8
  }
}

function linesOf(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => stripControls(line).trimEnd())
    .filter((line) => line !== "");
}
