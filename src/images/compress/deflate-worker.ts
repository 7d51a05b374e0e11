import { parentPort, workerData } from "node:worker_threads";
import { createBlockDeflater, type BlockDone, type BlockJob } from "./block-deflater.ts";

// Entry of a compressor thread: `pool.ts` starts it with the compiled module and posts one job per message.
const deflater = createBlockDeflater(workerData as WebAssembly.Module);
parentPort?.on("message", (job: BlockJob) => {
  const done: BlockDone = { output: deflater.deflate(job), buffer: job.input.buffer };
  parentPort?.postMessage(done, [done.output.buffer, done.buffer]);
});
