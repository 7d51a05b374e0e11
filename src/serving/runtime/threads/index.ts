export {
  ThreadPool,
  type FromThread,
  type ThreadPoolOptions,
  type ToThread,
} from "./thread-pool.ts";
