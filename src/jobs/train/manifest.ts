import { ToolError } from "../../ground/errors/index.ts";
import { localTasks } from "./distributed.ts";
import { podOf, type Fragment } from "./manifest-pod.ts";
import { trainJobSpec, type TrainerVersion } from "./manifest-trainjob.ts";
import type { TrainPlan } from "./plan-file.ts";
import { LAUNCHER, PYTHON } from "./contracts.ts";

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
}

/** An image by digest, so that every pod and every retry runs the same. */
export interface ManifestImage {
  readonly reference: string;
}

const DAY_S = 86_400;
/** @see kueue.sigs.k8s.io, "Run a job" */
const QUEUE_LABEL = "kueue.x-k8s.io/queue-name";

/**
 * A cluster's object for a packed job.
 * @throws ToolError `USAGE` for options that do not go together.
 * @see Kubernetes, batch/v1 Job; Kubeflow, training-operator v1 and trainer v2 custom resources
 */
export function renderManifest(
  plan: TrainPlan,
  image: ManifestImage,
  options: ManifestOptions,
): Fragment {
  const { kind, nodes } = checkOptions(plan, options);
  const request: Request = {
    plan,
    options,
    image: image.reference,
    nodes,
    processes: options.processes ?? Math.max(1, options.gpus ?? 0),
  };
  return RENDERERS[kind](request);
}

const RENDERERS: Readonly<Record<ManifestKind, (request: Request) => Fragment>> = {
  job: jobOf,
  pytorchjob: (request) => kubeflowOf(request, "PyTorchJob", pytorchSpec(request)),
  tfjob: (request) => kubeflowOf(request, "TFJob", tensorflowSpec(request)),
  mpijob: (request) => kubeflowOf(request, "MPIJob", mpiSpec(request)),
  trainjob: (request) => ({
    apiVersion: "trainer.kubeflow.org/v1alpha1",
    kind: "TrainJob",
    metadata: metadataOf(request),
    spec: trainJobSpec(request, programOf(request, "trainer")),
  }),
};

function checkOptions(
  plan: TrainPlan,
  options: ManifestOptions,
): { readonly kind: ManifestKind; readonly nodes: number } {
  const { kind: wanted, name, nodes = 1, servers = 0 } = options;
  const kind = wanted ?? (nodes === 1 && servers === 0 ? "job" : defaultKind(plan));
  if (!/^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$/.test(name))
    throw new ToolError(
      "USAGE",
      `name the job "${name}": it is no DNS label of at most 53 letters`,
      { hint: "pass --name NAME: lower-case letters, digits and dashes" },
    );
  if (kind === "job" && nodes > 1)
    throw new ToolError("USAGE", `run on ${nodes} nodes as a Job: a Job has one`, {
      hint: `leave --kind out, or write --kind ${defaultKind(plan)}`,
    });
  if (servers > 0 && kind !== "tfjob")
    throw new ToolError("USAGE", "parameter servers: only a TFJob has them");
  if (kind === "trainjob") checkTrainJob(options);
  return { kind, nodes };
}

function checkTrainJob({ backoff, ttlS }: ManifestOptions): void {
  if (backoff !== undefined || ttlS !== undefined)
    throw new ToolError("USAGE", "tries and time to live of a TrainJob: its runtime says them", {
      hint: "leave --backoff and --ttl out",
    });
}

/** A manifest's plan and options, checked. */
export interface Request {
  readonly plan: TrainPlan;
  readonly options: ManifestOptions;
  readonly image: string;
  readonly nodes: number;
  readonly processes: number;
}

function defaultKind({ framework }: TrainPlan): ManifestKind {
  if (framework === "tf" || framework === "keras") return "tfjob";
  return framework === "pytorch" || framework === "self" ? "pytorchjob" : "mpijob";
}

function metadataOf({ options: { name, namespace, queue } }: Request): Fragment {
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: {
      "app.kubernetes.io/name": name,
      "app.kubernetes.io/managed-by": "slipway",
      ...(queue === undefined ? {} : { [QUEUE_LABEL]: queue }),
    },
  };
}

function jobOf(request: Request): Fragment {
  const { options } = request;
  const pod = podOf(request, { containerName: "train", command: programOf(request, "alone") });
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: metadataOf(request),
    spec: {
      backoffLimit: options.backoff ?? 3,
      ttlSecondsAfterFinished: options.ttlS ?? DAY_S,
      template: {
        metadata: { labels: { "app.kubernetes.io/name": options.name } },
        spec: { restartPolicy: "Never", ...pod },
      },
    },
  };
}

function kubeflowOf(request: Request, kind: string, spec: Fragment): Fragment {
  return {
    apiVersion: "kubeflow.org/v1",
    kind,
    metadata: metadataOf(request),
    spec: {
      runPolicy: {
        // Finished pods stay for their logs; those that only wait (parameter servers, MPI's workers) give their cards back.
        cleanPodPolicy: "Running",
        backoffLimit: request.options.backoff ?? 3,
        ttlSecondsAfterFinished: request.options.ttlS ?? DAY_S,
      },
      ...spec,
    },
  };
}

/** One replica type. The operators find the container by a name of their own. */
function replicas(
  request: Request,
  count: number,
  about: {
    readonly containerName: string;
    readonly command: readonly string[];
    readonly hasGpus?: boolean;
  },
): Fragment {
  return { replicas: count, restartPolicy: "OnFailure", template: { spec: podOf(request, about) } };
}

function pytorchSpec(request: Request): Fragment {
  const about = { containerName: "pytorch", command: programOf(request, "cluster") };
  return {
    ...(request.processes > 1 ? { nprocPerNode: String(request.processes) } : {}),
    pytorchReplicaSpecs: {
      Master: replicas(request, 1, about),
      ...(request.nodes > 1 ? { Worker: replicas(request, request.nodes - 1, about) } : {}),
    },
  };
}

function tensorflowSpec(request: Request): Fragment {
  const about = { containerName: "tensorflow", command: scriptOf(request) };
  const servers = request.options.servers ?? 0;
  return {
    tfReplicaSpecs: {
      Chief: replicas(request, 1, about),
      ...(request.nodes > 1 ? { Worker: replicas(request, request.nodes - 1, about) } : {}),
      ...(servers > 0 ? { PS: replicas(request, servers, { ...about, hasGpus: false }) } : {}),
    },
  };
}

/** The launcher needs no card; the operator writes its list of hosts, and reaches the workers, which only wait, through the cluster itself. */
function mpiSpec(request: Request): Fragment {
  const { nodes, processes } = request;
  const launch = [
    "mpirun",
    "--allow-run-as-root",
    "-np",
    String(nodes * processes),
    "--bind-to",
    "none",
    "--map-by",
    "slot",
    "-x",
    "PATH",
    "-x",
    "PYTHONPATH",
    ...scriptOf(request),
  ];
  return {
    slotsPerWorker: processes,
    mpiReplicaSpecs: {
      Launcher: replicas(request, 1, { containerName: "mpi", command: launch, hasGpus: false }),
      Worker: replicas(request, nodes, { containerName: "mpi", command: ["sleep", "infinity"] }),
    },
  };
}

/**
 * What starts the script. Several processes of torch are started by torch's own launcher: told by flags where it is alone, by the operator's
 * variables in a cluster; Kubeflow Trainer gives its variables to that launcher only. For the other frameworks one process has all the cards;
 * where several are asked for, our launcher gives each what its framework wants.
 */
function programOf(request: Request, where: "alone" | "cluster" | "trainer"): readonly string[] {
  const { plan, processes, nodes } = request;
  const [python = "", ...words] = scriptOf(request);
  const isTorch = plan.framework === "pytorch" || plan.framework === "self";
  if (!isTorch) {
    const workers = where === "alone" ? (request.options.processes ?? 1) : 1;
    return workers === 1
      ? [python, ...words]
      : [
          PYTHON,
          LAUNCHER,
          JSON.stringify({ tasks: localTasks(plan, { workers, servers: 0 }) }),
          python,
          ...words,
        ];
  }
  if (processes === 1 && (where !== "trainer" || nodes === 1)) return [python, ...words];
  return [
    python,
    "-m",
    "torch.distributed.run",
    ...(where === "alone" ? ["--standalone", `--nproc_per_node=${processes}`] : []),
    ...words,
  ];
}

function scriptOf({ plan, options }: Request): readonly string[] {
  return (options.gpus ?? 0) > 0 ? plan.commands.gpuProgram : plan.commands.cpuProgram;
}
