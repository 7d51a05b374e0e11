import {
  cardLimits,
  CONTAINER_SECURITY,
  quantityOf,
  schedulingOf,
  variableEntries,
  type ManifestVariable,
} from "./pod-parts.ts";
import type { ServedImage, ServingOptions, ServingRequest } from "./serving-options.ts";
import type { Fragment } from "./set-value.ts";

/** Where model files are in our images. */
const MODELS = "/models";
/** Programs in our images; the base may have no shell. */
const NODE = "/opt/slipway/node";
/** The server's own pause before it refuses connections, and the time to end workers. */
const SERVER_DELAY_S = 1;
const LAST_WORDS_S = 5;
const DEFAULT_GRACE_S = 25;

/** Cluster-wide words that tell objects of one model apart. */
export function labelsOf(name: string, track?: string): Readonly<Record<string, string>> {
  return {
    "app.kubernetes.io/name": name,
    ...(track === undefined ? {} : { "slipway.dev/track": track }),
  };
}

/** Name, namespace and labels of an object. */
export function metadataOf(
  { name, namespace }: ServingOptions,
  more: {
    readonly suffix?: string | undefined;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
  } = {},
): Fragment {
  const { suffix, annotations = {} } = more;
  return {
    name: suffix === undefined ? name : `${name}-${suffix}`,
    ...(namespace === undefined ? {} : { namespace }),
    labels: { ...labelsOf(name), "app.kubernetes.io/managed-by": "slipway" },
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

/** How the container is called, and what the object around it does itself. */
export interface ContainerPlace {
  readonly name: string;
  /** Ports that the object wants to be named in its own way; `undefined` leaves them to its operator. */
  readonly ports?: readonly Fragment[] | undefined;
  /** Names or numbers of the ports that probes ask. */
  readonly probePorts: { readonly http: string | number; readonly grpc?: number | undefined };
  /** False where the definition of the object is older than the `sleep` action. */
  readonly knowsSleep: boolean;
}

/** Ports of a container, named. */
export function namedPorts({ ports: { http, grpc, metrics } }: ServedImage): readonly Fragment[] {
  return [
    { name: "http", containerPort: http, protocol: "TCP" },
    ...(grpc === undefined ? [] : [{ name: "grpc", containerPort: grpc, protocol: "TCP" }]),
    ...(metrics === undefined
      ? []
      : [{ name: "metrics", containerPort: metrics, protocol: "TCP" }]),
  ];
}

/** The container that serves, ready for a namespace with Pod Security `restricted`. */
export function servingContainer(request: ServingRequest, place: ContainerPlace): Fragment {
  const { image, options } = request;
  const resources = servingResources(options);
  return {
    name: place.name,
    image: image.reference,
    ...(place.ports === undefined ? {} : { ports: place.ports }),
    env: variableEntries(environmentOf(options)),
    ...(resources === undefined ? {} : { resources }),
    ...probesOf(request, place),
    ...(options.drain === "server"
      ? {}
      : { lifecycle: { preStop: preStopOf(options, place.knowsSleep) } }),
    securityContext: {
      ...CONTAINER_SECURITY,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      ...(options.runAs === undefined
        ? {}
        : { runAsUser: options.runAs.user, runAsGroup: options.runAs.group }),
      seccompProfile: { type: "RuntimeDefault" },
    },
    volumeMounts: mountsOf(options),
  };
}

/** What the pod says beside its containers. @param name - of the containers' labels, for the spread. */
export function servingPod(
  { options }: ServingRequest,
  selector?: Readonly<Record<string, string>>,
): Fragment {
  const gpuToleration =
    (options.gpus ?? 0) > 0 && options.tolerations === undefined
      ? [
          {
            key: options.gpuResource ?? "nvidia.com/gpu",
            operator: "Exists" as const,
            effect: "NoSchedule" as const,
          },
        ]
      : options.tolerations;
  const init = weightsCopy(options);
  return {
    ...schedulingOf({ ...options, tolerations: gpuToleration }),
    automountServiceAccountToken: options.serviceAccount !== undefined,
    enableServiceLinks: false,
    ...(options.pullSecret === undefined
      ? {}
      : { imagePullSecrets: [{ name: options.pullSecret }] }),
    ...(options.priorityClass === undefined ? {} : { priorityClassName: options.priorityClass }),
    terminationGracePeriodSeconds: graceSecondsOf(options),
    ...(selector === undefined ? {} : { topologySpreadConstraints: spreadOf(selector) }),
    ...(init === undefined ? {} : { initContainers: [init] }),
    volumes: servingVolumes(options),
  };
}

/** What is asked of CPU is a request without a limit, so that a pod may use a node's idle time; memory is asked for and is the limit. */
export function servingResources(options: ServingOptions): Fragment | undefined {
  const { cpus, memory } = options;
  const limits = {
    ...(memory === undefined ? {} : { memory: quantityOf("memory", memory) }),
    ...cardLimits(options),
  };
  const requests = {
    ...(cpus === undefined ? {} : { cpu: quantityOf("cpus", cpus) }),
    ...(memory === undefined ? {} : { memory }),
  };
  if (Object.keys({ ...limits, ...requests }).length === 0) return undefined;
  return {
    ...(Object.keys(requests).length === 0 ? {} : { requests }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  };
}

/** Variables of the server's own; one of the same name that the options give replaces ours. */
function environmentOf({
  env = [],
  requestS = 60,
  settleS = 5,
  drain = "sleep",
}: ServingOptions): readonly ManifestVariable[] {
  const own: readonly ManifestVariable[] = [
    // Libraries keep caches at home, and the root is read-only.
    { name: "HOME", value: "/tmp" },
    ...(requestS === DEFAULT_GRACE_S
      ? []
      : [{ name: "SLIPWAY_DRAIN_GRACE_MS", value: String(requestS * 1000) }]),
    ...(drain === "sleep"
      ? []
      : [{ name: "SLIPWAY_DRAIN_DELAY_MS", value: String(settleS * 1000) }]),
  ];
  return [...own.filter(({ name }) => !env.some((variable) => variable.name === name)), ...env];
}

/**
 * The startup probe asks often, so that a pod counts as soon as it is ready, and long, since weights may be large. Nothing listens before
 * the model is loaded. Liveness asks the process alone: a model that is busy is no reason to end it.
 */
function probesOf({ image, options }: ServingRequest, { probePorts }: ContainerPlace): Fragment {
  const ask = (path: string): Fragment => {
    if (options.probesGrpc === true && probePorts.grpc !== undefined)
      return { grpc: { port: probePorts.grpc } };
    return image.hasServer
      ? { httpGet: { path, port: probePorts.http } }
      : { tcpSocket: { port: probePorts.http } };
  };
  return {
    startupProbe: {
      ...ask("/ready"),
      periodSeconds: 1,
      timeoutSeconds: 2,
      failureThreshold: options.startupS ?? 600,
    },
    readinessProbe: { ...ask("/ready"), periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 },
    livenessProbe: { ...ask("/live"), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
  };
}

/** The pod goes on answering until every node has forgotten it. */
function preStopOf({ settleS = 5 }: ServingOptions, knowsSleep: boolean): Fragment {
  return knowsSleep
    ? { sleep: { seconds: settleS } }
    : { exec: { command: [NODE, "-e", `setTimeout(() => {}, ${settleS * 1000})`] } };
}

/** Seconds from the deletion of a pod to SIGKILL: never less than the server may need. */
export function graceSecondsOf({ settleS = 5, requestS = 60 }: ServingOptions): number {
  return settleS + SERVER_DELAY_S + requestS + LAST_WORDS_S;
}

function spreadOf(selector: Readonly<Record<string, string>>): readonly Fragment[] {
  return ["topology.kubernetes.io/zone", "kubernetes.io/hostname"].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: selector },
  }));
}

/** Where the server writes: sockets, uploads and caches, all of them gone with the pod. */
export function servingVolumes({ sharedMemory, weights }: ServingOptions): readonly Fragment[] {
  return [
    { name: "tmp", emptyDir: {} },
    ...(sharedMemory === undefined
      ? []
      : [
          {
            name: "shm",
            emptyDir: { medium: "Memory", sizeLimit: quantityOf("shm", sharedMemory) },
          },
        ]),
    ...(weights === undefined
      ? []
      : [
          weights.way === "volume"
            ? {
                name: "models",
                image: { reference: weights.reference, pullPolicy: "IfNotPresent" },
              }
            : { name: "models", emptyDir: {} },
        ]),
  ];
}

function mountsOf({ sharedMemory, weights }: ServingOptions): readonly Fragment[] {
  return [
    { name: "tmp", mountPath: "/tmp" },
    ...(sharedMemory === undefined ? [] : [{ name: "shm", mountPath: "/dev/shm" }]),
    ...(weights === undefined
      ? []
      : [
          {
            name: "models",
            mountPath: MODELS,
            ...(weights.way === "volume" ? { subPath: "models" } : {}),
            readOnly: true,
          },
        ]),
  ];
}

/** Copies weights out of their image before the server starts. */
function weightsCopy({ weights, memory }: ServingOptions): Fragment | undefined {
  if (weights?.way !== "init") return undefined;
  const copy = `require("node:fs").cpSync("${MODELS}", "/weights", { recursive: true })`;
  return {
    name: "weights",
    image: weights.reference,
    command: weights.hasServer ? [NODE, "-e", copy] : ["cp", "-R", `${MODELS}/.`, "/weights"],
    ...(memory === undefined ? {} : { resources: { requests: { memory }, limits: { memory } } }),
    securityContext: {
      ...CONTAINER_SECURITY,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      ...(weights.runAsUser === undefined ? {} : { runAsUser: weights.runAsUser }),
      seccompProfile: { type: "RuntimeDefault" },
    },
    volumeMounts: [{ name: "models", mountPath: "/weights" }],
  };
}
