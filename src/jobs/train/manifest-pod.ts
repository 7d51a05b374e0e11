import {
  CONTAINER_SECURITY,
  cardLimits,
  podSecurity,
  quantityOf,
  schedulingOf,
  variableEntries,
  type Fragment,
} from "../kubernetes/index.ts";
import { PLACES } from "./contracts.ts";
import type { ManifestOptions } from "./manifest-options.ts";
import type { Request } from "./manifest.ts";
import { volumeOf } from "./manifest-volume.ts";

/** What a container of the job is, apart from the job. */
export interface ContainerAbout {
  readonly containerName: string;
  readonly command: readonly string[];
  /** Default true. */
  readonly hasGpus?: boolean | undefined;
}

/** The pod's specification without what differs between kinds of jobs. */
export function podOf(
  request: Request,
  { containerName, command, hasGpus = true }: ContainerAbout,
): Fragment {
  const { options, image } = request;
  const resources = resourcesOf(options, hasGpus);
  return {
    ...schedulingOf(options),
    ...(options.pullSecret === undefined
      ? {}
      : { imagePullSecrets: [{ name: options.pullSecret }] }),
    ...(options.priorityClass === undefined ? {} : { priorityClassName: options.priorityClass }),
    ...(options.graceS === undefined ? {} : { terminationGracePeriodSeconds: options.graceS }),
    ...(options.runAs === undefined ? {} : { securityContext: podSecurity(options.runAs) }),
    containers: [
      {
        name: containerName,
        image,
        command,
        workingDir: PLACES.code,
        env: environmentOf(request),
        ...(resources === undefined ? {} : { resources }),
        ...(options.runAs === undefined ? {} : { securityContext: CONTAINER_SECURITY }),
        volumeMounts: volumeMounts(options),
      },
    ],
    volumes: volumesOf(options),
  };
}

/** What scripts of the old platform read beside the framework's own variables: nodes, and processes of each. */
export function environmentOf({ plan, nodes, processes, options }: Request): readonly Fragment[] {
  const isTorch = plan.framework === "pytorch" || plan.framework === "self";
  const values = {
    PYTHONUNBUFFERED: "1",
    ...(isTorch ? { WORKER_NUM: String(nodes), WORKER_GPU_NUM: String(processes) } : {}),
    ...(isTorch && processes === 1 ? { LOCAL_RANK: "0" } : {}),
  };
  const own = options.env ?? [];
  const isOwn = (name: string): boolean => own.some((variable) => variable.name === name);
  return [
    ...Object.entries(values)
      .filter(([name]) => !isOwn(name))
      .map(([name, value]) => ({ name, value })),
    ...variableEntries(own),
  ];
}

/** Cards are asked for by limits alone; what is asked of CPU and memory is asked for and is the limit. */
export function resourcesOf(options: ManifestOptions, hasGpus: boolean): Fragment | undefined {
  const { cpus, memory } = options;
  const plain = {
    ...(cpus === undefined ? {} : { cpu: quantityOf("cpus", cpus) }),
    ...(memory === undefined ? {} : { memory: quantityOf("memory", memory) }),
  };
  const limits = { ...plain, ...(hasGpus ? cardLimits(options) : {}) };
  if (Object.keys(limits).length === 0) return undefined;
  return { ...(Object.keys(plain).length === 0 ? {} : { requests: plain }), limits };
}

/** Data, output and shared memory. */
export function volumesOf({
  name,
  data,
  output,
  sharedMemory,
}: ManifestOptions): readonly Fragment[] {
  return [
    { name: "data", ...volumeOf("data", data ?? `pvc:${name}-data`).source },
    { name: "output", ...volumeOf("output", output ?? `pvc:${name}-output`).source },
    {
      name: "shm",
      emptyDir: { medium: "Memory", sizeLimit: quantityOf("shm", sharedMemory ?? "1Gi") },
    },
  ];
}

/** Where a training script finds them. */
export function volumeMounts({ name, data, output }: ManifestOptions): readonly Fragment[] {
  const mount = (volume: "data" | "output", text: string): Fragment => {
    const { subPath } = volumeOf(volume, text);
    return {
      name: volume,
      mountPath: PLACES[volume],
      ...(subPath === undefined ? {} : { subPath }),
    };
  };
  return [
    mount("data", data ?? `pvc:${name}-data`),
    mount("output", output ?? `pvc:${name}-output`),
    { name: "shm", mountPath: "/dev/shm" },
  ];
}
