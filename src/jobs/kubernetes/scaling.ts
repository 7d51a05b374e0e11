import { metadataOf } from "./serving-pod.ts";
import type { Autoscaling, ServingOptions, ServingRequest } from "./serving-options.ts";
import type { Fragment } from "./set-value.ts";

/** Gauges of our servers' metrics pages that tell how loaded a pod is. */
const LOAD_METRICS: Readonly<Record<"inflight" | "wait", string>> = {
  inflight: "slipway_inflight_requests",
  wait: "slipway_expected_wait_seconds",
};

/** A pod's start costs more than a few spare minutes of one that is there. */
const SCALE_DOWN_S = 300;

/** The object that changes the number of a Deployment's pods. */
export function scalerOf({ options }: ServingRequest, autoscaling: Autoscaling): Fragment {
  return autoscaling.scaler === "keda"
    ? scaledObject(options, autoscaling)
    : horizontalAutoscaler(options, autoscaling);
}

function horizontalAutoscaler(options: ServingOptions, autoscaling: Autoscaling): Fragment {
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: metadataOf(options),
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: options.name },
      minReplicas: autoscaling.min,
      maxReplicas: autoscaling.max,
      metrics: [loadMetric(autoscaling)],
      behavior: { scaleDown: { stabilizationWindowSeconds: SCALE_DOWN_S } },
    },
  };
}

/** What an autoscaler of Kubernetes' own compares. Metrics other than CPU come through Prometheus Adapter. */
export function loadMetric({ by, target }: Autoscaling): Fragment {
  return by === "cpu"
    ? {
        type: "Resource",
        resource: { name: "cpu", target: { type: "Utilization", averageUtilization: target } },
      }
    : {
        type: "Pods",
        pods: {
          metric: { name: LOAD_METRICS[by] },
          target: { type: "AverageValue", averageValue: quantityText(target) },
        },
      };
}

/** @see KEDA, keda.sh/v1alpha1 ScaledObject */
function scaledObject(options: ServingOptions, autoscaling: Autoscaling): Fragment {
  return {
    apiVersion: "keda.sh/v1alpha1",
    kind: "ScaledObject",
    metadata: metadataOf(options),
    spec: {
      scaleTargetRef: { name: options.name },
      minReplicaCount: autoscaling.min,
      maxReplicaCount: autoscaling.max,
      cooldownPeriod: SCALE_DOWN_S,
      triggers: [kedaTrigger(options, autoscaling)],
    },
  };
}

/** A trigger of KEDA for one model's pods. */
export function kedaTrigger(
  { name, namespace }: ServingOptions,
  { by, target, prometheus = "" }: Autoscaling,
): Fragment {
  if (by === "cpu")
    return { type: "cpu", metricType: "Utilization", metadata: { value: String(target) } };
  const pods = `pod=~"${name}-.*"${namespace === undefined ? "" : `,namespace="${namespace}"`}`;
  return {
    type: "prometheus",
    metricType: "AverageValue",
    metadata: {
      serverAddress: prometheus,
      query: `sum(${LOAD_METRICS[by]}{${pods}})`,
      threshold: String(target),
    },
  };
}

/** A number as a quantity: thousandths where it is no whole one. */
function quantityText(value: number): string {
  return Number.isInteger(value) ? String(value) : `${Math.round(value * 1000)}m`;
}
