export {
  ThreadPool,
  type FromThread,
  type ThreadPoolOptions,
  type ToThread,
} from "./thread-pool.ts";
export { SpareThreads, type ThreadStart } from "./spare-threads.ts";
