import {
  CONTAINER_SECURITY,
  podSecurity,
  schedulingOf,
  type Fragment,
} from "../kubernetes/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { LAUNCHER, PLACES, PYTHON } from "./contracts.ts";
import { environmentOf, resourcesOf, volumeMounts, volumesOf } from "./manifest-pod.ts";
import type { Request } from "./manifest.ts";
import type { TrainPlan } from "./plan-file.ts";

/** Generations of Kubeflow Trainer whose TrainJobs differ. */
export type TrainerVersion = "2.0" | "2.1" | "2.2";

/** Runtimes that Kubeflow Trainer installs. Its one for MPI gives the workers an image of its own, which has none of the job. */
const RUNTIMES: Readonly<Partial<Record<TrainPlan["framework"], string>>> = {
  pytorch: "torch-distributed",
  self: "torch-distributed",
};

/** The replicated job of these runtimes that trains, and its container. */
const NODE = "node";

/**
 * A TrainJob's specification.
 * @throws ToolError `USAGE`.
 * @see Kubeflow, trainer v2, trainer.kubeflow.org/v1alpha1 TrainJob
 */
export function trainJobSpec(request: Request, program: readonly string[]): Fragment {
  const { options, plan, nodes, processes, image } = request;
  const runtime = options.runtime ?? RUNTIMES[plan.framework];
  if (runtime === undefined)
    throw new ToolError(
      "USAGE",
      `a TrainJob for ${plan.framework}: no runtime of Kubeflow is known for it`,
      { hint: "name one of your cluster with --runtime" },
    );
  const resources = resourcesOf(options, true);
  return {
    runtimeRef: { name: runtime },
    ...(options.deadlineS === undefined ? {} : { activeDeadlineSeconds: options.deadlineS }),
    trainer: {
      image,
      // The container's folder cannot be said here, and scripts look for their files in it.
      command: [PYTHON],
      args: [LAUNCHER, JSON.stringify({ cwd: PLACES.code }), ...program],
      env: environmentOf(request),
      numNodes: nodes,
      numProcPerNode: processes,
      ...(resources === undefined ? {} : { resourcesPerNode: resources }),
    },
    ...PATCHES[options.trainer ?? "2.2"](podPatch(request), request),
  };
}

function podPatch({ options }: Request): Fragment {
  return {
    ...(options.pullSecret === undefined
      ? {}
      : { imagePullSecrets: [{ name: options.pullSecret }] }),
    ...schedulingOf(options),
    ...(options.runAs === undefined ? {} : { securityContext: podSecurity(options.runAs) }),
    volumes: volumesOf(options),
    containers: [
      {
        name: NODE,
        ...(options.runAs === undefined ? {} : { securityContext: CONTAINER_SECURITY }),
        volumeMounts: volumeMounts(options),
      },
    ],
  };
}

const PATCHES: Readonly<Record<TrainerVersion, (pod: Fragment, request: Request) => Fragment>> = {
  "2.0": (pod, { options }) => {
    if (options.pullSecret !== undefined)
      throw new ToolError("USAGE", "a pull secret in a TrainJob: Kubeflow Trainer 2.0 takes none", {
        hint: "add it to the namespace's service account, and leave --pull-secret out",
      });
    return { podSpecOverrides: [{ targetJobs: [{ name: NODE }], ...pod }] };
  },
  "2.1": (pod) => ({ podTemplateOverrides: [{ targetJobs: [{ name: NODE }], spec: pod }] }),
  "2.2": (pod) => ({
    runtimePatches: [
      {
        manager: "slipway.dev/manager",
        trainingRuntimeSpec: {
          template: {
            spec: {
              replicatedJobs: [{ name: NODE, template: { spec: { template: { spec: pod } } } }],
            },
          },
        },
      },
    ],
  }),
};
