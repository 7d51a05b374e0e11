import type { Fragment } from "../kubernetes/index.ts";
import { localTasks } from "./distributed.ts";
import { checkOptions, type ManifestKind, type ManifestOptions } from "./manifest-options.ts";
import { podOf } from "./manifest-pod.ts";
import { trainJobSpec } from "./manifest-trainjob.ts";
import type { TrainPlan } from "./plan-file.ts";
import { LAUNCHER, PYTHON } from "./contracts.ts";

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
  mpijob: (request) => ({
    ...kubeflowOf(request, "MPIJob", mpiSpec(request)),
    apiVersion: "kubeflow.org/v2beta1",
  }),
  trainjob: (request) => ({
    apiVersion: "trainer.kubeflow.org/v1alpha1",
    kind: "TrainJob",
    metadata: metadataOf(request),
    spec: trainJobSpec(request, programOf(request, "trainer")),
  }),
};

/** A manifest's plan and options, checked. */
export interface Request {
  readonly plan: TrainPlan;
  readonly options: ManifestOptions;
  readonly image: string;
  readonly nodes: number;
  readonly processes: number;
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
      ...(options.deadlineS === undefined ? {} : { activeDeadlineSeconds: options.deadlineS }),
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
        ...(request.options.deadlineS === undefined
          ? {}
          : { activeDeadlineSeconds: request.options.deadlineS }),
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

/** Options of ssh between pods of one job: their host keys are made when they start. */
const SSH_OPTIONS =
  "-o ConnectionAttempts=10 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR";

/** A server that only the operator's own key opens. Host keys are made at each start, so none lie in an image. */
const SSH_SERVER = [
  "/bin/sh",
  "-c",
  "mkdir -p /run/sshd && ssh-keygen -A >/dev/null && exec /usr/sbin/sshd -De -o StrictModes=no -o PasswordAuthentication=no",
];

/**
 * The launcher needs no card; it reaches the workers, which only wait, through ssh with a key that the operator makes.
 * @see Kubeflow, mpi-operator, kubeflow.org/v2beta1 MPIJob
 */
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
    "-mca",
    "plm_rsh_args",
    SSH_OPTIONS,
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
      Worker: replicas(request, nodes, { containerName: "mpi", command: SSH_SERVER }),
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
  const program = (options.gpus ?? 0) > 0 ? plan.commands.gpuProgram : plan.commands.cpuProgram;
  return [...program, ...(options.parameters ?? [])];
}
