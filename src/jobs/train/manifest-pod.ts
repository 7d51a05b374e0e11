import { ToolError } from "../../ground/errors/index.ts";
import { PLACES } from "./contracts.ts";
import type { ManifestOptions, Request } from "./manifest.ts";

/** A piece of a Kubernetes object. */
export type Fragment = Readonly<Record<string, unknown>>;

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
    ...(options.pullSecret === undefined
      ? {}
      : { imagePullSecrets: [{ name: options.pullSecret }] }),
    ...(options.nodeSelector === undefined ? {} : { nodeSelector: options.nodeSelector }),
    containers: [
      {
        name: containerName,
        image,
        command,
        workingDir: PLACES.code,
        env: environmentOf(request),
        ...(resources === undefined ? {} : { resources }),
        volumeMounts: volumeMounts(options),
      },
    ],
    volumes: volumesOf(options),
  };
}

/** What scripts of the old platform read beside the framework's own variables: nodes, and processes of each. */
export function environmentOf({ plan, nodes, processes }: Request): readonly Fragment[] {
  const isTorch = plan.framework === "pytorch" || plan.framework === "self";
  const values = {
    PYTHONUNBUFFERED: "1",
    ...(isTorch ? { WORKER_NUM: String(nodes), WORKER_GPU_NUM: String(processes) } : {}),
    ...(isTorch && processes === 1 ? { LOCAL_RANK: "0" } : {}),
  };
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}

/** Cards are asked for by limits alone; what is asked of CPU and memory is asked for and is the limit. */
export function resourcesOf(
  { gpus = 0, cpus, memory }: ManifestOptions,
  hasGpus: boolean,
): Fragment | undefined {
  const plain = {
    ...(cpus === undefined ? {} : { cpu: quantity("cpus", cpus) }),
    ...(memory === undefined ? {} : { memory: quantity("memory", memory) }),
  };
  const limits = { ...plain, ...(gpus > 0 && hasGpus ? { "nvidia.com/gpu": String(gpus) } : {}) };
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
      emptyDir: { medium: "Memory", sizeLimit: quantity("shm", sharedMemory ?? "1Gi") },
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

interface Volume {
  readonly source: Fragment;
  readonly subPath?: string;
}

function volumeOf(flag: string, text: string): Volume {
  const [, kind = "", rest = ""] = /^([a-z]+)(?::(.*))?$/s.exec(text) ?? [];
  const volume = VOLUMES[kind]?.(rest);
  if (volume !== undefined) return volume;
  throw new ToolError("USAGE", `--${flag} "${text}" is no volume`, {
    hint: "write pvc:NAME[/FOLDER], nfs:HOST:/PATH, host:/PATH or empty",
  });
}

const VOLUMES: Readonly<Record<string, (rest: string) => Volume | undefined>> = {
  empty: (rest) => (rest === "" ? { source: { emptyDir: {} } } : undefined),
  host: (rest) => (rest.startsWith("/") ? { source: { hostPath: { path: rest } } } : undefined),
  nfs(rest) {
    const [, server, path] = /^([^:/]+):(\/.*)$/s.exec(rest) ?? [];
    return server === undefined || path === undefined
      ? undefined
      : { source: { nfs: { server, path } } };
  },
  pvc(rest) {
    const [, claimName, subPath] = /^([a-z0-9][a-z0-9.-]*)(?:\/(.+))?$/s.exec(rest) ?? [];
    return claimName === undefined
      ? undefined
      : {
          source: { persistentVolumeClaim: { claimName } },
          ...(subPath === undefined ? {} : { subPath }),
        };
  },
};

/** @see Kubernetes, resource quantities */
function quantity(flag: string, text: string): string {
  if (/^\d+(\.\d+)?(m|[kMGTPE]i?|Ki)?$/.test(text)) return text;
  throw new ToolError("USAGE", `--${flag} "${text}" is no quantity`, {
    hint: "write it as 500m, 4, 16Gi",
  });
}
