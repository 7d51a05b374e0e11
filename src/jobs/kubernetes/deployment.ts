import { routesOf } from "./routes.ts";
import { scalerOf } from "./scaling.ts";
import { labelsOf, metadataOf, namedPorts, servingContainer, servingPod } from "./serving-pod.ts";
import type { Autoscaling, ServedImage, ServingRequest } from "./serving-options.ts";
import type { Fragment } from "./set-value.ts";
import { monitorOf, networkPolicyOf } from "./watching.ts";

/** Images of one model at the same time. */
type Track = "stable" | "canary" | "shadow";

const DEFAULT_REPLICAS = 2;
/** What lies in the pod's own volumes may be lost: cluster-autoscaler is told, and empties nodes all the same. */
const EVICTION = {
  "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes": "tmp,shm,models",
};

/** Everything of a served model on a plain cluster, in the order in which it is read and applied. */
export function deploymentObjects(request: ServingRequest): readonly Fragment[] {
  const { options } = request;
  const tracks = tracksOf(request);
  const isSplit = options.route !== undefined && tracks.length > 1;
  return [
    ...tracks.map((track) => deploymentOf(request, track)),
    ...(isSplit ? [] : [serviceOf(request)]),
    ...(isSplit ? tracks.map(({ track }) => serviceOf(request, track)) : []),
    ...(request.image.ports.grpc === undefined ? [] : [headlessService(request)]),
    disruptionBudget(request),
    ...(options.autoscaling === undefined ? [] : [scalerOf(request, options.autoscaling)]),
    ...routesOf(request),
    ...monitorOf(request),
    ...networkPolicyOf(request),
  ];
}

interface TrackPods {
  readonly track: Track;
  readonly image: ServedImage;
  /** `undefined`: the autoscaler says it. */
  readonly replicas: number | undefined;
}

function tracksOf({ image, options }: ServingRequest): readonly TrackPods[] {
  const { canary, shadow, autoscaling, route } = options;
  const replicas = options.replicas ?? autoscaling?.min ?? DEFAULT_REPLICAS;
  const beside = (percent: number): number =>
    route !== undefined
      ? Math.max(1, Math.ceil((replicas * percent) / 100))
      : canaryPods(replicas, percent);
  return [
    { track: "stable", image, replicas: stableReplicas(replicas, autoscaling) },
    ...(canary === undefined
      ? []
      : [{ track: "canary" as const, image: canary.image, replicas: beside(canary.percent) }]),
    ...(shadow === undefined
      ? []
      : [
          {
            track: "shadow" as const,
            image: shadow.image,
            replicas: Math.max(1, Math.ceil((replicas * shadow.percent) / 100)),
          },
        ]),
  ];
}

/** A number of its own would take back what the autoscaler set, each time that the object is applied. */
function stableReplicas(
  replicas: number,
  autoscaling: Autoscaling | undefined,
): number | undefined {
  return autoscaling === undefined ? replicas : undefined;
}

/** Pods of a canary that get `percent` of the requests when one Service spreads them over all pods. */
export function canaryPods(stable: number, percent: number): number {
  if (percent <= 0) return 0;
  if (percent >= 100) return stable;
  return Math.max(1, Math.round((stable * percent) / (100 - percent)));
}

function deploymentOf(request: ServingRequest, { track, image, replicas }: TrackPods): Fragment {
  const { options } = request;
  const selector = labelsOf(options.name, track);
  const own = { ...request, image };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: metadataOf(options, {
      suffix: track === "stable" ? undefined : track,
      annotations: options.annotations,
    }),
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      // A start may take as long as its probe allows before the rollout counts as stuck.
      progressDeadlineSeconds: (options.startupS ?? 600) + 60,
      selector: { matchLabels: selector },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels: selector, annotations: EVICTION },
        spec: {
          ...servingPod(own, selector),
          containers: [
            servingContainer(own, {
              name: "model",
              ports: namedPorts(image),
              probePorts: { http: "http", grpc: image.ports.grpc },
              knowsSleep: true,
            }),
          ],
        },
      },
    },
  };
}

/** Pods that answer: shadows never do. Without routes of a gateway a canary answers beside the others. */
function serviceOf({ image, options }: ServingRequest, track?: Track): Fragment {
  const shares = track === undefined && options.canary !== undefined;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadataOf(options, {
      suffix: track === undefined || track === "stable" ? undefined : track,
    }),
    spec: {
      selector: labelsOf(options.name, shares ? undefined : (track ?? "stable")),
      ports: servicePorts(image),
    },
  };
}

function servicePorts({ ports: { http, grpc, metrics } }: ServedImage): readonly Fragment[] {
  return [
    { name: "http", port: 80, targetPort: "http", protocol: "TCP", appProtocol: "http" },
    ...(grpc === undefined ? [] : [grpcPort(grpc)]),
    ...(metrics === undefined || metrics === http
      ? []
      : [{ name: "metrics", port: metrics, targetPort: "metrics", protocol: "TCP" }]),
  ];
}

const grpcPort = (port: number): Fragment => ({
  name: "grpc",
  port,
  targetPort: "grpc",
  protocol: "TCP",
  appProtocol: "kubernetes.io/h2c",
});

/** A gRPC client keeps one connection; one that resolves this name sees every pod and can spread its calls (`round_robin`). */
function headlessService({ image, options }: ServingRequest): Fragment {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadataOf(options, { suffix: "grpc" }),
    spec: {
      clusterIP: "None",
      selector: labelsOf(options.name, options.canary === undefined ? "stable" : undefined),
      ports: [grpcPort(image.ports.grpc ?? 0)],
    },
  };
}

/** Pods that are not ready may go at any time: they answer nobody. */
function disruptionBudget({ options }: ServingRequest): Fragment {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: metadataOf(options),
    spec: {
      maxUnavailable: 1,
      selector: { matchLabels: labelsOf(options.name, "stable") },
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    },
  };
}
