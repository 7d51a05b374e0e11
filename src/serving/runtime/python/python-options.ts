import type { CallOptions } from "../../../ground/bytes/index.ts";
import { USER_CODE_DEFAULTS, type UserCodeSettings } from "../../plane/index.ts";
import type { LogLine } from "./log-lines.ts";
import type { PoolOptions } from "./pool.ts";
import type { WorkerAhead } from "./worker-ahead.ts";

/** One entry of Seldon's `PREDICTIVE_UNIT_PARAMETERS`. */
export interface ClassParameter {
  readonly name: string;
  readonly value: unknown;
  readonly type: string;
}

export interface PythonOptions extends CallOptions, Partial<UserCodeSettings> {
  /** Keyword arguments of the class. */
  readonly parameters?: readonly ClassParameter[];
  /** The workers' whole environment. Default: the parent's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where `slipway_worker` is. Default: found beside the sources, the package or the bundle. */
  readonly workerFolder?: string;
  /** True where the code is loaded anew when its files change: then no bytecode of it is kept, which is told by whole seconds. Default false. */
  readonly isWatched?: boolean;
  /** Calls that may wait for a worker. Default 1024. */
  readonly maxQueue?: number;
  /** Calls inside one worker at the most. Default 64. */
  readonly maxWindow?: number;
  /** Private memory of a worker at which it is ended, in bytes. Default: no limit. */
  readonly memoryBytes?: number;
  /** Time between SIGTERM and SIGKILL for a worker, in ms. Default 5000. */
  readonly graceMs?: number;
  /** Memory file system for large tensors. Default `/dev/shm`. */
  readonly sharedFolder?: string;
  /** Bytes of shared memory for each worker and direction; 0 switches it off. Default 256 MiB, and never more than a share of what is free. */
  readonly sharedBytes?: number;
  /** Payloads from this size on go through shared memory, in bytes. Default 32768. */
  readonly sharedFrom?: number;
  /** A process that was started before the rest of the server was there. It becomes worker 0 where it is what would be started. */
  readonly ahead?: WorkerAhead | undefined;
  /** What user code prints and logs. */
  readonly onLog?: (line: LogLine) => void;
  /** Told how many rows a call had that several requests were joined into. */
  readonly onBatch?: (rows: number) => void;
  /** Told when a worker has died and will be started again. */
  readonly onRestart?: PoolOptions["onRestart"];
}

/** What holds for an option that is not given. */
export const PYTHON_DEFAULTS: UserCodeSettings &
  Required<
    Pick<
      PythonOptions,
      | "parameters"
      | "isWatched"
      | "memoryBytes"
      | "maxWindow"
      | "sharedFolder"
      | "sharedBytes"
      | "sharedFrom"
    >
  > = {
  parameters: [],
  ...USER_CODE_DEFAULTS,
  isWatched: false,
  memoryBytes: 0,
  maxWindow: 64,
  sharedFolder: "/dev/shm",
  sharedBytes: 256 * 2 ** 20,
  sharedFrom: 32_768,
};
