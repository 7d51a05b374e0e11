import { ToolError } from "../../ground/errors/index.ts";
import type { Framework } from "./contracts.ts";

/** One process of a distributed job. */
export interface Task {
  /** Unique; stands before its lines in the log. */
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** Serves the others and ends with them. */
  readonly isService: boolean;
}

/** What decides which variables the processes of a job find. */
export interface JobKind {
  readonly framework: Framework;
  /** Such as `tensorflow-2.20.0`, when the job names one. */
  readonly release?: string | undefined;
}

/** Where processes are: `host:port` lists as the frameworks want them. */
export interface Cluster {
  /** All that compute, the first one first. */
  readonly workers: readonly string[];
  /** Parameter servers. */
  readonly servers: readonly string[];
  /** MXNet's scheduler. */
  readonly scheduler: string;
}

/**
 * The processes of a job with what each must find in its environment.
 * @throws ToolError `USAGE` for a framework that has no such thing.
 * @see the training documents, distributed training; TF_CONFIG, DMLC and torch.distributed environment variables
 */
export function tasksOf(job: JobKind, cluster: Cluster): readonly Task[] {
  const { framework } = job;
  switch (framework) {
    case "pytorch":
    case "self":
      return cluster.workers.map((_, rank) => ({
        name: String(rank),
        isService: false,
        env: torchEnvironment(cluster, rank),
      }));
    case "tf":
    case "keras":
      return tensorflowTasks(cluster, chiefName(job));
    case "mxnet":
      return mxnetTasks(cluster);
    case "caffe":
      throw new ToolError(
        "USAGE",
        "train caffe with several processes: Caffe itself starts one process for each card",
        { hint: "pass --num_gpus to the script" },
      );
    default:
      return framework satisfies never;
  }
}

/** The same on one machine; ports are chosen by the launcher, which puts them in place of `{port:N}`. */
export function localTasks(
  job: JobKind,
  count: { readonly workers: number; readonly servers: number },
): readonly Task[] {
  const address = (index: number): string => `127.0.0.1:{port:${index}}`;
  const workers = Array.from({ length: count.workers }, (_, index) => address(index));
  const servers = Array.from(
    { length: job.framework === "mxnet" ? Math.max(1, count.servers) : count.servers },
    (_, index) => address(count.workers + index),
  );
  return tasksOf(job, {
    workers,
    servers,
    scheduler: address(count.workers + servers.length),
  });
}

function torchEnvironment({ workers }: Cluster, rank: number): Readonly<Record<string, string>> {
  const [host, port] = splitAddress(workers[0] ?? "");
  const count = String(workers.length);
  return {
    MASTER_ADDR: host,
    MASTER_PORT: port,
    RANK: String(rank),
    WORLD_SIZE: count,
    LOCAL_RANK: String(rank),
    LOCAL_WORLD_SIZE: count,
    WORKER_NUM: "1",
    WORKER_GPU_NUM: count,
    OMP_NUM_THREADS: "1",
  };
}

/**
 * TensorFlow 2 knows the first worker as `chief` and refuses `master`; TensorFlow 1 before 1.4 knows only `master`.
 * @see tf.distribute.cluster_resolver.TFConfigClusterResolver
 */
function chiefName({ release }: JobKind): "chief" | "master" {
  return /^(?:tensorflow-[01]|keras-(?:1|2\.0))\./.test(release ?? "") ? "master" : "chief";
}

function tensorflowTasks(
  { workers, servers }: Cluster,
  chief: "chief" | "master",
): readonly Task[] {
  const [first = "", ...others] = workers;
  const cluster = {
    [chief]: [first],
    ...(servers.length === 0 ? {} : { ps: servers }),
    ...(others.length === 0 ? {} : { worker: others }),
  };
  const task = (type: "chief" | "master" | "ps" | "worker", index: number): Task => ({
    name: type === chief ? type : `${type} ${index}`,
    isService: type === "ps",
    env: { TF_CONFIG: JSON.stringify({ cluster, task: { type, index }, environment: "cloud" }) },
  });
  return [
    task(chief, 0),
    ...others.map((_, index) => task("worker", index)),
    ...servers.map((_, index) => task("ps", index)),
  ];
}

function mxnetTasks({ workers, servers, scheduler }: Cluster): readonly Task[] {
  const [host, port] = splitAddress(scheduler);
  const common = {
    DMLC_PS_ROOT_URI: host,
    DMLC_PS_ROOT_PORT: port,
    DMLC_NUM_WORKER: String(workers.length),
    DMLC_NUM_SERVER: String(servers.length),
    PS_VERBOSE: "1",
  };
  const task = (role: "worker" | "server" | "scheduler", name: string): Task => ({
    name,
    isService: role !== "worker",
    env: { ...common, DMLC_ROLE: role },
  });
  return [
    ...workers.map((_, index) => task("worker", `worker ${index}`)),
    ...servers.map((_, index) => task("server", `server ${index}`)),
    task("scheduler", "scheduler"),
  ];
}

function splitAddress(address: string): readonly [string, string] {
  const colon = address.startsWith("127.0.0.1:") ? "127.0.0.1".length : address.lastIndexOf(":");
  return [address.slice(0, colon), address.slice(colon + 1)];
}
