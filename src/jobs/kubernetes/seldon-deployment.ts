import { nodesOf, type GraphNode } from "../../models/description/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { kedaTrigger, loadMetric } from "./scaling.ts";
import { labelsOf, metadataOf, servingContainer, servingPod } from "./serving-pod.ts";
import type { ServedImage, ServingOptions, ServingRequest, Sibling } from "./serving-options.ts";
import type { Fragment } from "./set-value.ts";

/** Name of the one node of a model without a graph. */
const SINGLE = "model";
/** The operator gives every container a port of this name. */
const HTTP_PORT = "http";
const DEFAULT_REPLICAS = 2;

/**
 * A SeldonDeployment for one model or for a graph, with a predictor more for a canary and for a shadow.
 * @see Seldon Core 1.18, machinelearning.seldon.io/v1 SeldonDeployment
 * @throws ToolError `USAGE` for a node that has no image.
 */
export function seldonDeployment(request: ServingRequest): Fragment {
  const { image, options } = request;
  const { canary, shadow } = options;
  return {
    apiVersion: "machinelearning.seldon.io/v1",
    kind: "SeldonDeployment",
    metadata: metadataOf(options),
    spec: {
      protocol: "seldon",
      ...(options.annotations === undefined ? {} : { annotations: options.annotations }),
      predictors: [
        predictorOf(request, {
          name: "default",
          image,
          ...(canary === undefined && shadow === undefined
            ? {}
            : { traffic: 100 - (canary?.percent ?? 0) }),
        }),
        ...(canary === undefined
          ? []
          : [predictorOf(request, siblingOf("canary", canary, { traffic: canary.percent }))]),
        ...(shadow === undefined
          ? []
          : [
              predictorOf(
                request,
                siblingOf("shadow", shadow, { traffic: shadow.percent, shadow: true }),
              ),
            ]),
      ],
    },
  };
}

interface PredictorAbout {
  readonly name: string;
  readonly image: ServedImage;
  readonly traffic?: number;
  readonly shadow?: boolean;
}

function siblingOf(
  name: string,
  { image }: Sibling,
  about: Pick<PredictorAbout, "traffic" | "shadow">,
): PredictorAbout {
  return { name, image, ...about };
}

function predictorOf(request: ServingRequest, about: PredictorAbout): Fragment {
  const { options } = request;
  const { autoscaling, graph, hasNoEngine } = options;
  const { name, image: _, ...shares } = about;
  const scaling = name === "default" ? autoscaling : undefined;
  return {
    name,
    ...shares,
    ...(scaling === undefined
      ? { replicas: options.replicas ?? autoscaling?.min ?? DEFAULT_REPLICAS }
      : {}),
    ...(hasNoEngine === true ? { annotations: { "seldon.io/no-engine": "true" } } : {}),
    graph: graph === undefined ? { name: SINGLE, type: "MODEL" } : graphObject(graph.root),
    componentSpecs: [
      {
        metadata: { labels: labelsOf(options.name, trackOf(name)) },
        spec: {
          ...servingPod(request, labelsOf(options.name, trackOf(name))),
          containers: containersOf(request, about),
        },
        ...(scaling === undefined ? {} : scaleOf(options, scaling)),
        pdbSpec: { maxUnavailable: 1 },
      },
    ],
  };
}

/** As Deployments are told apart. */
function trackOf(predictor: string): string {
  return predictor === "default" ? "stable" : predictor;
}

function scaleOf(
  options: ServingOptions,
  autoscaling: NonNullable<ServingOptions["autoscaling"]>,
): Fragment {
  const { min, max } = autoscaling;
  return autoscaling.scaler === "keda"
    ? {
        kedaSpec: {
          minReplicaCount: min,
          maxReplicaCount: max,
          triggers: [kedaTrigger(options, autoscaling)],
        },
      }
    : {
        hpaSpec: {
          minReplicas: min,
          maxReplicas: max,
          metricsv2: [loadMetric(autoscaling)],
        },
      };
}

/** Containers of the nodes that run in the pod. @throws ToolError `USAGE` for a node without an image. */
function containersOf(request: ServingRequest, { image }: PredictorAbout): readonly Fragment[] {
  const { graph, hasNoEngine } = request.options;
  if (graph === undefined) return [containerOf({ ...request, image }, SINGLE)];
  const nodes = nodesOf(graph.root);
  if (hasNoEngine === true && nodes.length > 1)
    throw new ToolError("USAGE", "leave Seldon's executor out: a graph of several nodes needs it", {
      hint: "leave --no-engine out",
    });
  return nodes.flatMap((node) => {
    const own = graph.images.get(node.name);
    if (own !== undefined) return [containerOf({ ...request, image: own }, node.name, node.env)];
    if (node.endpoint !== undefined || node.implementation !== undefined) return [];
    throw new ToolError("USAGE", `the graph's node "${node.name}" has no image`, {
      hint: "say image: of it in slipway.yaml, a name that was pushed",
    });
  });
}

/**
 * The operator numbers and names the ports, and puts a hook with a shell where there is none. Its definition is older than the sleep action.
 */
function containerOf(
  request: ServingRequest,
  name: string,
  env: Readonly<Record<string, string>> = {},
): Fragment {
  const own = Object.entries(env).map(([variable, value]) => ({ name: variable, value }));
  const options = { ...request.options, env: [...own, ...(request.options.env ?? [])] };
  return servingContainer(
    { ...request, options: { ...options, probesGrpc: false } },
    { name, probePorts: { http: HTTP_PORT }, knowsSleep: false },
  );
}

/** A node with what hangs below it, in the order of the definition's documentation. */
function graphObject(node: GraphNode): Fragment {
  const { name, type, implementation, methods, parameters, endpoint, children } = node;
  return {
    name,
    ...(type === undefined ? {} : { type }),
    ...(implementation === undefined ? {} : { implementation }),
    ...(methods.length === 0 ? {} : { methods }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(endpoint === undefined
      ? {}
      : {
          endpoint: {
            service_host: endpoint.host,
            ...(endpoint.httpPort !== undefined && { httpPort: endpoint.httpPort }),
            ...(endpoint.grpcPort !== undefined && { grpcPort: endpoint.grpcPort }),
          },
        }),
    ...(children.length === 0 ? {} : { children: children.map(graphObject) }),
  };
}
