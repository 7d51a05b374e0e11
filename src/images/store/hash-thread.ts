import { createHash } from "node:crypto";
import { openSync, readSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { IS_LAST, WRITTEN, type HashThreadData } from "./follow-hash.ts";

const PIECE_BYTES = 2 ** 20;

/** Hashes the file as far as it has been written, until it is told that no more comes, and sends the sum. */
const { path, algorithm, shared } = workerData as HashThreadData; // what `followHash` gives it
const state = new BigInt64Array(shared);
const hash = createHash(algorithm);
const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
const file = openSync(path, "r");
for (let position = 0; ;) {
  const isLast = Atomics.load(state, IS_LAST) === 1n;
  const written = Number(Atomics.load(state, WRITTEN));
  while (position < written) {
    const count = readSync(file, piece, 0, Math.min(PIECE_BYTES, written - position), position);
    if (count === 0) throw new Error(`it has ${position} bytes, and ${written} were written`);
    hash.update(piece.subarray(0, count));
    position += count;
  }
  if (isLast) break;
  Atomics.wait(state, WRITTEN, BigInt(written), 1000);
}
parentPort?.postMessage(hash.digest("hex"));
