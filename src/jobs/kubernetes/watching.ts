import { labelsOf, metadataOf } from "./serving-pod.ts";
import type { ServedImage, ServingRequest } from "./serving-options.ts";
import type { Fragment } from "./set-value.ts";

/** An object of Prometheus' operator that has the metrics pages read. None unless it is asked for. */
export function monitorOf({ image, options }: ServingRequest): readonly Fragment[] {
  if (options.monitor === undefined) return [];
  const endpoint = { port: metricsPort(image), path: "/metrics" };
  const selector = { matchLabels: labelsOf(options.name) };
  return [
    {
      apiVersion: "monitoring.coreos.com/v1",
      kind: options.monitor === "service" ? "ServiceMonitor" : "PodMonitor",
      metadata: metadataOf(options),
      spec:
        options.monitor === "service"
          ? { endpoints: [endpoint], selector }
          : { podMetricsEndpoints: [endpoint], selector },
    },
  ];
}

/** The executor's REST and gRPC, the first container's own, and its metrics: the operator numbers the ports. */
const SELDON_PORTS = [8000, 5001, 9000, 9500, 6000];

/** The name of the port that has the page. */
function metricsPort({ ports: { http, metrics } }: ServedImage): string {
  return metrics === undefined || metrics === http ? "http" : "metrics";
}

/**
 * Requests from the pods' own namespace and those named; nothing goes out but questions for names. A model that calls others needs a
 * rule more (`--set`, or a policy beside it: rules of policies add up).
 */
export function networkPolicyOf({ image, options }: ServingRequest): readonly Fragment[] {
  if (options.networkPolicy === undefined) return [];
  const numbers = options.kind === "seldon" ? SELDON_PORTS : Object.values(image.ports);
  const ports = numbers.map((port) => ({ protocol: "TCP", port }));
  return [
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: metadataOf(options),
      spec: {
        podSelector: { matchLabels: labelsOf(options.name) },
        policyTypes: ["Ingress", "Egress"],
        ingress: [
          {
            from: [
              { podSelector: {} },
              ...options.networkPolicy.namespaces.map((name) => ({
                namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
              })),
            ],
            ports,
          },
        ],
        egress: [
          {
            ports: [
              { protocol: "UDP", port: 53 },
              { protocol: "TCP", port: 53 },
            ],
          },
        ],
      },
    },
  ];
}
