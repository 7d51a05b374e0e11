import { ToolError } from "../../ground/errors/index.ts";
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
export interface ManifestOptions {
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
  /** Graphics cards of a node. Default 0. */
  readonly gpus?: number | undefined;
  readonly cpus?: string | undefined;
  readonly memory?: string | undefined;
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
  readonly nodeSelector?: Readonly<Record<string, string>> | undefined;
  readonly tolerations?: readonly Toleration[] | undefined;
  readonly serviceAccount?: string | undefined;
  readonly priorityClass?: string | undefined;
  /** What the cluster calls a card. Default `nvidia.com/gpu`. */
  readonly gpuResource?: string | undefined;
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

/** A variable by its value, or by a key of a Secret. */
export type ManifestVariable =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly secret: string; readonly key: string };

/** @see Kubernetes, taints and tolerations */
export interface Toleration {
  readonly key?: string;
  readonly operator: "Equal" | "Exists";
  readonly value?: string;
  readonly effect?: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
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
  const names = { queue, "service-account": serviceAccount, "priority-class": priorityClass };
  for (const [flag, text] of Object.entries(names))
    if (text !== undefined && !DNS_NAME.test(text))
      throw new ToolError("USAGE", `--${flag} "${text}" is no name of an object`, {
        hint: "lower-case letters, digits, dashes and dots",
      });
  for (const [label, value] of Object.entries(nodeSelector ?? {}))
    if (!LABEL_KEY.test(label) || !LABEL_VALUE.test(value))
      throw new ToolError("USAGE", `--node-selector "${label}=${value}" is no label with a value`, {
        hint: "write --node-selector accelerator=a100",
      });
  for (const { name } of env ?? [])
    if (!/^[A-Za-z_][\w.-]*$/.test(name))
      throw new ToolError("USAGE", `the variable "${name}" has a name that no cluster takes`);
}

/** @see Kubernetes, object names and IDs; labels and selectors */
const DNS_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?$/;
const LABEL_KEY =
  /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/;

function defaultKind({ framework }: TrainPlan): ManifestKind {
  if (framework === "tf" || framework === "keras") return "tfjob";
  return framework === "pytorch" || framework === "self" ? "pytorchjob" : "mpijob";
}
