import { ToolError } from "../../ground/errors/index.ts";
import {
  checkObjectWords,
  type ManifestVariable,
  type ResourceOptions,
  type Scheduling,
} from "../kubernetes/index.ts";
import type { TrainerVersion } from "./manifest-trainjob.ts";
import type { TrainPlan } from "./plan-file.ts";

/** Objects that a job can be. */
export type ManifestKind = "job" | "pytorchjob" | "tfjob" | "mpijob" | "trainjob";

export const MANIFEST_KINDS: readonly ManifestKind[] = [
  "job",
  "pytorchjob",
  "tfjob",
  "mpijob",
  "trainjob",
];

/** What a cluster must be told beside the plan. */
export interface ManifestOptions extends Scheduling, ResourceOptions {
  /** Default: a Job for one node, else what the framework's jobs are. */
  readonly kind?: ManifestKind | undefined;
  /** A DNS label. */
  readonly name: string;
  readonly namespace?: string | undefined;
  /** Nodes. Default 1. */
  readonly nodes?: number | undefined;
  /** Parameter servers of a TFJob. Default 0. */
  readonly servers?: number | undefined;
  /** Processes on a node. Default: one for each card, else one; only torch and MPI start several. */
  readonly processes?: number | undefined;
  /** Size of `/dev/shm`. Default 1Gi; loaders of several processes need it. */
  readonly sharedMemory?: string | undefined;
  /** `pvc:NAME[/SUBPATH]`, `nfs:HOST:/PATH`, `host:/PATH` or `empty`. Default `pvc:NAME-data` and `pvc:NAME-output`. */
  readonly data?: string | undefined;
  readonly output?: string | undefined;
  /** Tries after the first. Default 3. */
  readonly backoff?: number | undefined;
  /** Seconds that a finished job is kept. Default a day. */
  readonly ttlS?: number | undefined;
  /** Kueue's queue. */
  readonly queue?: string | undefined;
  readonly pullSecret?: string | undefined;
  /** Of a TrainJob. Default: the one for the framework. */
  readonly runtime?: string | undefined;
  /** Kubeflow Trainer of the cluster; each of these says in its own way what a pod needs. Default `2.2`, which newer ones take too. */
  readonly trainer?: TrainerVersion | undefined;
  readonly priorityClass?: string | undefined;
  /** Variables of the script, after ours; one of the same name replaces ours. */
  readonly env?: readonly ManifestVariable[] | undefined;
  /** Parameters of the script after those of the plan. */
  readonly parameters?: readonly string[] | undefined;
  /** Seconds after which the job is ended. Default: none. */
  readonly deadlineS?: number | undefined;
  /** Seconds between SIGTERM and SIGKILL. Default: the cluster's, 30. */
  readonly graceS?: number | undefined;
  /** Runs as this user, in a way that Pod Security "restricted" allows. Default: as the image says. */
  readonly runAs?: { readonly user: number; readonly group: number } | undefined;
}

/**
 * Which object it will be, on how many nodes.
 * @throws ToolError `USAGE` for options that do not go together, and for texts that a cluster would refuse later.
 */
export function checkOptions(
  plan: TrainPlan,
  options: ManifestOptions,
): { readonly kind: ManifestKind; readonly nodes: number } {
  const { kind: wanted, nodes = 1, servers = 0 } = options;
  const kind = wanted ?? (nodes === 1 && servers === 0 ? "job" : defaultKind(plan));
  if (kind === "job" && nodes > 1)
    throw new ToolError("USAGE", `run on ${nodes} nodes as a Job: a Job has one`, {
      hint: `leave --kind out, or write --kind ${defaultKind(plan)}`,
    });
  if (servers > 0 && kind !== "tfjob")
    throw new ToolError("USAGE", "parameter servers: only a TFJob has them");
  if (kind === "trainjob") checkTrainJob(options);
  if (kind === "mpijob") checkMpiJob(options);
  checkWords(options);
  return { kind, nodes };
}

function checkMpiJob({ runAs }: ManifestOptions): void {
  if (runAs !== undefined)
    throw new ToolError(
      "USAGE",
      "run an MPIJob as an ordinary user: its workers start an ssh server",
      { hint: "leave --run-as out" },
    );
}

function checkTrainJob({ backoff, ttlS, ...options }: ManifestOptions): void {
  const version = options.trainer ?? "2.2";
  const missing = [
    options.priorityClass === undefined ? undefined : "a priority class",
    options.graceS === undefined ? undefined : "a grace period",
    options.runAs === undefined || version === "2.2" ? undefined : "a user",
    options.deadlineS === undefined || version === "2.2" ? undefined : "a deadline",
  ].filter((word) => word !== undefined);
  if (missing.length > 0)
    throw new ToolError(
      "USAGE",
      `${missing.join(", ")} in a TrainJob: Kubeflow Trainer ${version} takes none`,
      { hint: "say it in the training runtime, or choose --kind job or pytorchjob" },
    );
  if (backoff !== undefined || ttlS !== undefined)
    throw new ToolError("USAGE", "tries and time to live of a TrainJob: its runtime says them", {
      hint: "leave --backoff and --ttl out",
    });
}

/** Texts that a cluster would refuse only when the object is there already. */
function checkWords({
  name,
  queue,
  nodeSelector,
  serviceAccount,
  priorityClass,
  env,
}: ManifestOptions): void {
  if (!/^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$/.test(name))
    throw new ToolError(
      "USAGE",
      `name the job "${name}": it is no DNS label of at most 53 letters`,
      { hint: "pass --name NAME: lower-case letters, digits and dashes" },
    );
  checkObjectWords({
    names: { queue, "service-account": serviceAccount, "priority-class": priorityClass },
    nodeSelector,
    env,
  });
}

function defaultKind({ framework }: TrainPlan): ManifestKind {
  if (framework === "tf" || framework === "keras") return "tfjob";
  return framework === "pytorch" || framework === "self" ? "pytorchjob" : "mpijob";
}
