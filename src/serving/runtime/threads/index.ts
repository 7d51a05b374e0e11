export { ThreadPool, type FromThread, type ToThread } from "./thread-pool.ts";
export { SpareThreads, type ThreadStart } from "./spare-threads.ts";
