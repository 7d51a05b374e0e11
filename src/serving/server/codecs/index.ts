export { CodecPool } from "./codec-pool.ts";
