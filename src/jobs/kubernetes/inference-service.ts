import type { ModelKind } from "../../models/description/index.ts";
import { kedaTrigger } from "./scaling.ts";
import {
  labelsOf,
  metadataOf,
  namedPorts,
  servingContainer,
  servingPod,
  servingResources,
  servingVolumes,
} from "./serving-pod.ts";
import type { ServedImage, ServingOptions, ServingRequest } from "./serving-options.ts";
import type { Fragment } from "./set-value.ts";

/** The container of a predictor that KServe looks for. */
const CONTAINER = "kserve-container";
/** Without Knative; a plain cluster has none. Older versions call it RawDeployment. */
const MODE = { "serving.kserve.io/deploymentMode": "Standard" };

/** What KServe's users call a kind of model. Ours where they have no word. */
const FORMATS: Readonly<Partial<Record<ModelKind, string>>> = {
  "tf-savedmodel": "tensorflow",
  "tf-frozen-graph": "tensorflow-graph",
  "tf-checkpoint": "tensorflow-checkpoint",
};

/** `modelFormat` of a kind. */
function formatOf(kind: ModelKind): string {
  return FORMATS[kind] ?? kind;
}

/** Name of the ServingRuntime for an image. */
export function runtimeNameOf({ kinds }: ServedImage): string {
  return `slipway-${kinds.length === 1 ? kinds[0] : "models"}`;
}

/**
 * An InferenceService: our image as a custom predictor, or with a storage URI a model that a ServingRuntime of ours serves.
 * @see KServe 0.16, serving.kserve.io/v1beta1 InferenceService
 */
export function inferenceService(request: ServingRequest): Fragment {
  const { image, options } = request;
  const selector = labelsOf(options.name);
  return {
    apiVersion: "serving.kserve.io/v1beta1",
    kind: "InferenceService",
    metadata: metadataOf(options, {
      annotations: { ...MODE, ...scalerAnnotation(options), ...options.annotations },
    }),
    spec: {
      predictor: {
        ...scaleOf(options),
        timeout: options.requestS ?? 60,
        labels: selector,
        deploymentStrategy: {
          type: "RollingUpdate",
          rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
        },
        ...servingPod(request, selector),
        ...(options.storageUri === undefined
          ? { containers: [predictorContainer(request)] }
          : {
              model: {
                modelFormat: { name: formatOf(image.kinds[0] ?? "onnx") },
                runtime: runtimeNameOf(image),
                storageUri: options.storageUri,
                protocolVersion: "v2",
                ...(servingResources(options) === undefined
                  ? {}
                  : { resources: servingResources(options) }),
              },
            }),
      },
    },
  };
}

function predictorContainer(request: ServingRequest): Fragment {
  const { ports } = request.image;
  return servingContainer(request, {
    name: CONTAINER,
    ports: namedPorts(request.image),
    probePorts: { http: ports.http, grpc: ports.grpc },
    knowsSleep: true,
  });
}

function scalerAnnotation({ autoscaling }: ServingOptions): Readonly<Record<string, string>> {
  if (autoscaling === undefined) return { "serving.kserve.io/autoscalerClass": "none" };
  return {
    "serving.kserve.io/autoscalerClass": autoscaling.scaler === "keda" ? "keda" : "hpa",
  };
}

/** KServe's own autoscaler compares CPU; for what our servers measure it wants KEDA. */
function scaleOf(options: ServingOptions): Fragment {
  const { autoscaling, replicas = 2 } = options;
  if (autoscaling === undefined) return { minReplicas: replicas };
  const { min, max, by, target } = autoscaling;
  const trigger = kedaTrigger(options, autoscaling) as {
    readonly metadata: Readonly<Record<string, string>>;
  };
  return {
    minReplicas: min,
    maxReplicas: max,
    ...(by === "cpu"
      ? { scaleMetric: "cpu", scaleTarget: Math.round(target) }
      : {
          autoScaling: {
            metrics: [
              {
                type: "External",
                external: {
                  metric: {
                    backend: "prometheus",
                    serverAddress: trigger.metadata["serverAddress"],
                    query: trigger.metadata["query"],
                  },
                  target: { type: "AverageValue", averageValue: String(target) },
                },
              },
            ],
          },
        }),
  };
}

/**
 * A ServingRuntime that serves models of the image's kinds from where KServe puts them, under the name that KServe gives.
 * @see KServe 0.16, serving.kserve.io/v1alpha1 ServingRuntime
 */
export function servingRuntime(request: ServingRequest): Fragment {
  const { image, options } = request;
  const { pullSecret, nodeSelector, tolerations } = options;
  return {
    apiVersion: "serving.kserve.io/v1alpha1",
    kind: "ServingRuntime",
    metadata: metadataOf(options),
    spec: {
      annotations: {
        "prometheus.kserve.io/port": String(image.ports.http),
        "prometheus.kserve.io/path": "/metrics",
      },
      supportedModelFormats: image.kinds.map((kind) => ({
        name: formatOf(kind),
        version: "1",
        autoSelect: true,
        priority: 1,
      })),
      protocolVersions: ["v1", "v2", ...(image.ports.grpc === undefined ? [] : ["grpc-v2"])],
      multiModel: false,
      ...(pullSecret === undefined ? {} : { imagePullSecrets: [{ name: pullSecret }] }),
      ...(nodeSelector === undefined ? {} : { nodeSelector }),
      ...(tolerations === undefined ? {} : { tolerations }),
      containers: [
        servingContainer(
          {
            ...request,
            options: {
              ...options,
              env: [
                { name: "MODEL_DIR", value: "/mnt/models" },
                { name: "MODEL_NAME", value: "{{.Name}}" },
                ...(options.env ?? []),
              ],
            },
          },
          {
            name: CONTAINER,
            ports: namedPorts(image),
            probePorts: { http: image.ports.http, grpc: image.ports.grpc },
            knowsSleep: true,
          },
        ),
      ],
      volumes: servingVolumes(options),
    },
  };
}
