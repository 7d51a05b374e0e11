import { parentPort, type MessagePort } from "node:worker_threads";
import { isToolError } from "../../../ground/errors/index.ts";
import {
  createImageDecoder,
  tensorOfPixels,
  type ImagePlan,
} from "../../../models/inputs/index.ts";
import type { ImageTensor } from "../../plane/index.ts";
import type { FromThread, ToThread } from "../threads/index.ts";

/** What the thread is asked: one picture at a time. */
export interface ImageQuestion {
  readonly bytes: Uint8Array;
  readonly plan: ImagePlan;
}

/** An error as it travels between threads. */
export interface ImageFailure {
  readonly code?: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

function main(port: MessagePort): void {
  const decoder = createImageDecoder();
  const send = (message: FromThread, transfer: ArrayBuffer[] = []): void =>
    port.postMessage(message, transfer);
  const answer = async ({ bytes, plan }: ImageQuestion): Promise<ImageTensor> => {
    const pixels = await decoder.decode(bytes);
    const { width, height } = pixels;
    return { tensor: tensorOfPixels(pixels, plan), width, height };
  };
  port.on("message", ({ id, value }: ToThread) => {
    // The other end sends questions.
    answer(value as ImageQuestion).then(
      (made) => send({ kind: "done", id, value: made }, [made.tensor.data.buffer as ArrayBuffer]), // its own
      (error: unknown) => {
        const isLast = decoder.isWornOut;
        send({ kind: "error", id, error: failureOf(error), ...(isLast && { isLast }) });
        if (isLast) port.close();
      },
    );
  });
  send({ kind: "ready", facts: undefined });
}

function failureOf(error: unknown): ImageFailure {
  if (isToolError(error)) return { code: error.code, message: error.message, hint: error.hint };
  return { message: error instanceof Error ? error.message : String(error) };
}

if (parentPort !== null) main(parentPort);
