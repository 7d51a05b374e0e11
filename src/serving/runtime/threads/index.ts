export { ThreadPool } from "./thread-pool.ts";
export type { FromThread, ToThread } from "./thread-messages.ts";
export { SpareThreads, type ThreadStart } from "./spare-threads.ts";
