import { InferenceError } from "../../../ground/errors/index.ts";
import type { ImageReader, ImageTensor } from "../../plane/index.ts";
import { ThreadPool } from "../threads/index.ts";
import type { ImageFailure, ImageQuestion } from "./image-thread.ts";

/** Pictures that may wait; each has its bytes in memory already. */
const MAX_QUEUE = 256;
/** The largest picture takes two seconds; what takes longer is made to. */
const TIMEOUT_MS = 30_000;

/**
 * Reads pictures in one thread, which is started when the first one comes: one picture is in memory at a time, whatever their number.
 */
export function createImageReader(): ImageReader {
  let started: Promise<ThreadPool> | undefined;
  const running = async (): Promise<ThreadPool> => {
    started ??= startPool();
    try {
      return await started;
    } catch (error) {
      started = undefined; // the next picture tries again
      throw error;
    }
  };
  return {
    async read(bytes, plan, caller) {
      const own = Uint8Array.from(bytes); // a view would take all of its buffer along
      const question: ImageQuestion = { bytes: own, plan };
      return (await (await running()).call(question, [own.buffer], caller)) as ImageTensor; // our own thread sends one
    },
    async [Symbol.asyncDispose]() {
      const pool = await started?.catch(() => undefined); // the picture that started it was told why it did not
      await pool?.[Symbol.asyncDispose]();
    },
  };
}

async function startPool(): Promise<ThreadPool> {
  const pool = new ThreadPool({
    ...{ model: "image reader", file: "image-thread", folder: import.meta.dirname },
    ...{ data: undefined, threads: 1, timeoutMs: TIMEOUT_MS, maxQueue: MAX_QUEUE },
    toError: (error) => errorOf(error as ImageFailure), // our own thread sends one
    onLog: () => undefined, // it says nothing
  });
  await pool.start();
  return pool;
}

/** Other errors than those of pictures are ours. */
function errorOf({ code, message, hint }: ImageFailure): Error {
  return code === "REQUEST_INVALID" || code === "LIMIT_EXCEEDED" || code === "TENSOR_INVALID"
    ? new InferenceError(code, message, { hint })
    : new Error(`image thread: ${message}`);
}
