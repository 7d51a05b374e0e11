import { ToolError } from "../../ground/errors/index.ts";
import type { Contract, GraphNode, ModelKind, Ports } from "../../models/description/index.ts";
import {
  checkObjectWords,
  quantityOf,
  type ManifestVariable,
  type ResourceOptions,
  type Scheduling,
} from "./pod-parts.ts";

/** Objects that a served model can be. */
export const SERVING_KINDS = [
  "deployment",
  "seldon",
  "inferenceservice",
  "servingruntime",
] as const;
export type ServingKind = (typeof SERVING_KINDS)[number];

/** An image that serves, as far as a cluster must know it. */
export interface ServedImage {
  /** By digest. */
  readonly reference: string;
  /** Of its model; several for an image that takes a model of any of them when it starts. */
  readonly kinds: readonly ModelKind[];
  /** True when no model is in it. */
  readonly takesModel: boolean;
  readonly contract: Contract;
  readonly ports: Ports;
  /** False for a server that is the image's own: it has our ports and none of our probes. */
  readonly hasServer: boolean;
}

/** What makes the number of pods follow the load. */
export interface Autoscaling {
  /** `cpu` is percent of what is requested; `inflight` is requests in a pod; `wait` is seconds that a request would wait now. */
  readonly by: "cpu" | "inflight" | "wait";
  readonly target: number;
  /** Least and most pods. */
  readonly min: number;
  readonly max: number;
  /** Default `hpa`; with it `inflight` and `wait` need Prometheus Adapter. */
  readonly scaler?: "hpa" | "keda" | undefined;
  /** Address of Prometheus, for KEDA. */
  readonly prometheus?: string | undefined;
}

/** Another image beside the first. */
export interface Sibling {
  readonly image: ServedImage;
  /** Of requests, 0 to 100. */
  readonly percent: number;
}

/** Weights in an image of their own. */
export interface WeightsSource {
  /** By digest. */
  readonly reference: string;
  /** `volume` mounts the image (Kubernetes 1.33 and newer), `init` copies out of it. */
  readonly way: "volume" | "init";
  /** True for an image that serves, too: it copies with its own Node; another one needs `cp`. */
  readonly hasServer: boolean;
  /** For an image that names no user. */
  readonly runAsUser?: number | undefined;
}

/** Where requests come from. */
export interface RouteOptions {
  /** `NAME` or `NAMESPACE/NAME` of a Gateway. */
  readonly gateway: string;
  readonly hosts: readonly string[];
}

/** What a cluster must be told of a served model. */
export interface ServingOptions extends Scheduling, ResourceOptions {
  readonly kind: ServingKind;
  /** A DNS label. */
  readonly name: string;
  readonly namespace?: string | undefined;
  /** Pods. Default 2. */
  readonly replicas?: number | undefined;
  /** Size of `/dev/shm`. Default: the node's, 64 MiB. */
  readonly sharedMemory?: string | undefined;
  readonly env?: readonly ManifestVariable[] | undefined;
  readonly pullSecret?: string | undefined;
  readonly priorityClass?: string | undefined;
  /** Runs as this user. Default: as the image says. */
  readonly runAs?: { readonly user: number; readonly group: number } | undefined;
  /** Probes over gRPC in place of HTTP. Default false. */
  readonly probesGrpc?: boolean | undefined;
  /** Seconds that a start may take. Default 600. */
  readonly startupS?: number | undefined;
  /** Seconds that a request may take when its pod is ended. Default 60. */
  readonly requestS?: number | undefined;
  /** Seconds that endpoints need to forget a pod. Default 5. */
  readonly settleS?: number | undefined;
  /** How a pod waits for that: `sleep` of the pod's lifecycle (Kubernetes 1.30), or the server's own delay. Default `sleep`. */
  readonly drain?: "sleep" | "server" | undefined;
  readonly autoscaling?: Autoscaling | undefined;
  readonly canary?: Sibling | undefined;
  readonly shadow?: Sibling | undefined;
  readonly route?: RouteOptions | undefined;
  /** An object of Prometheus' operator. Default: none. */
  readonly monitor?: "service" | "pod" | undefined;
  /** Default: none. */
  readonly networkPolicy?: NetworkPolicyOptions | undefined;
  readonly weights?: WeightsSource | undefined;
  /** A graph of images, for a SeldonDeployment. */
  readonly graph?: ServedGraph | undefined;
  /** Straight to the model, without Seldon's executor. Default false. */
  readonly hasNoEngine?: boolean | undefined;
  /** `oci://…`, `s3://…` of an InferenceService whose server is a ServingRuntime. */
  readonly storageUri?: string | undefined;
  /** Annotations of the first object. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** Who may reach the pods. */
interface NetworkPolicyOptions {
  /** Namespaces beside the pods' own. */
  readonly namespaces: readonly string[];
}

/** A graph, and the images of its nodes. */
export interface ServedGraph {
  readonly root: GraphNode;
  /** By the names of nodes; nodes with an endpoint or an implementation of Seldon's have none. */
  readonly images: ReadonlyMap<string, ServedImage>;
  /** What a node is for a class, where the type does not say it. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An image and its options, checked. */
export interface ServingRequest {
  readonly image: ServedImage;
  readonly options: ServingOptions;
}

const MAX_NAME = 46;

/** Refuses options that do not go together, and texts that a cluster would refuse later. @throws ToolError `USAGE`. */
export function checkServing({ image, options }: ServingRequest): void {
  const { name, namespace, pullSecret, priorityClass, serviceAccount } = options;
  if (!/^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(name) || name.length > MAX_NAME)
    throw new ToolError(
      "USAGE",
      `name the model's objects "${name}": it is no DNS label of at most ${MAX_NAME} letters that begins with one`,
      { hint: "pass --name NAME: lower-case letters, digits and dashes" },
    );
  checkObjectWords({
    names: {
      namespace,
      "pull-secret": pullSecret,
      "priority-class": priorityClass,
      "service-account": serviceAccount,
    },
    nodeSelector: options.nodeSelector,
    env: options.env,
  });
  for (const flag of ["cpus", "memory"] as const)
    if (options[flag] !== undefined) quantityOf(flag, options[flag]);
  checkSecrets(options);
  checkAutoscaling(options);
  checkKind(options);
  checkModel(image, options);
}

/** A runtime serves what it is given, so the image must have no model of its own. */
function checkModel({ takesModel }: ServedImage, { kind, storageUri }: ServingOptions): void {
  if (takesModel || (kind !== "servingruntime" && storageUri === undefined)) return;
  throw new ToolError(
    "USAGE",
    "serve models of a storage URI: the image has a model of its own, and serves no other",
    { hint: "pack one without: slipway pack --contract model-server --fetch KIND" },
  );
}

const SECRET_NAME =
  /(?:^|_)(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?)(?:_|$)/i;

function checkSecrets({ env = [] }: ServingOptions): void {
  const bare = env.find((variable) => "value" in variable && SECRET_NAME.test(variable.name));
  if (bare === undefined) return;
  throw new ToolError(
    "USAGE",
    `the variable "${bare.name}" looks like a secret, and a manifest is read by many`,
    { hint: `put it into a Secret and pass --secret-env ${bare.name}=SECRET/KEY` },
  );
}

function checkAutoscaling(options: ServingOptions): void {
  const { autoscaling } = options;
  if (autoscaling === undefined) return;
  const wrong = AUTOSCALING_RULES.find(({ isBroken }) => isBroken(autoscaling, options));
  if (wrong === undefined) return;
  const { by, min, max, target } = autoscaling;
  throw new ToolError(
    "USAGE",
    `autoscale from ${min} to ${max} pods by ${by}=${target}: ${wrong.why}`,
    { hint: wrong.hint },
  );
}

interface AutoscalingRule {
  readonly isBroken: (autoscaling: Autoscaling, options: ServingOptions) => boolean;
  readonly why: string;
  readonly hint: string;
}

const PROMETHEUS_HINT = "pass --keda http://prometheus.monitoring:9090";

const AUTOSCALING_RULES: readonly AutoscalingRule[] = [
  {
    isBroken: ({ min, max, target }) => min < 1 || max < min || !(target > 0),
    why: "want at least one pod, no fewer at most than at least, and a target above 0",
    hint: "write --autoscale cpu=70 --min 2 --max 10",
  },
  {
    isBroken: ({ by }, { cpus }) => by === "cpu" && cpus === undefined,
    why: "percent of CPU are of what pods request, and they request none",
    hint: "pass --cpus, such as --cpus 1",
  },
  {
    isBroken: ({ by, scaler, prometheus }) =>
      scaler === "keda" && by !== "cpu" && prometheus === undefined,
    why: "KEDA asks Prometheus for it",
    hint: PROMETHEUS_HINT,
  },
  {
    isBroken: ({ by, scaler }, { kind }) =>
      kind === "inferenceservice" && by !== "cpu" && scaler !== "keda",
    why: "KServe asks KEDA for it",
    hint: PROMETHEUS_HINT,
  },
  {
    isBroken: (_, { replicas }) => replicas !== undefined,
    why: "a fixed number of pods contradicts it",
    hint: "leave --replicas out; --min and --max say it",
  },
];

/** What an object cannot say, with what can. */
function checkKind(options: ServingOptions): void {
  const { kind } = options;
  const wrong = KIND_RULES.find(
    ({ kinds, isAsked }) => !kinds.includes(kind) && isAsked(options) === true,
  );
  if (wrong !== undefined)
    throw new ToolError("USAGE", `${wrong.what}: the kind ${kind} cannot say it`, {
      hint: wrong.hint,
    });
  if (options.shadow !== undefined && kind === "deployment" && options.route === undefined)
    throw new ToolError("USAGE", "a shadow without a gateway: nothing else mirrors requests", {
      hint: "pass --gateway NAME",
    });
}

interface KindRule {
  readonly what: string;
  /** Those that can say it. */
  readonly kinds: readonly ServingKind[];
  readonly isAsked: (options: ServingOptions) => boolean | undefined;
  readonly hint: string;
}

const KIND_RULES: readonly KindRule[] = [
  {
    what: "a graph",
    kinds: ["seldon"],
    isAsked: ({ graph }) => graph !== undefined,
    hint: "write --kind seldon, or leave graph: out of slipway.yaml",
  },
  {
    what: "a weights volume",
    kinds: ["deployment", "inferenceservice"],
    isAsked: ({ weights }) => weights?.way === "volume",
    hint: "write --weights init",
  },
  {
    what: "weights of an image of their own",
    kinds: ["deployment", "seldon", "inferenceservice"],
    isAsked: ({ weights }) => weights !== undefined,
    hint: "say --storage-uri of the InferenceService",
  },
  {
    what: "a shadow",
    kinds: ["deployment", "seldon"],
    isAsked: ({ shadow }) => shadow !== undefined,
    hint: "write --kind deployment or seldon",
  },
  {
    what: "a canary",
    kinds: ["deployment", "seldon"],
    isAsked: ({ canary }) => canary !== undefined,
    hint: "write --kind deployment or seldon: KServe's Standard mode splits nothing",
  },
  {
    what: "autoscaling",
    kinds: ["deployment", "seldon", "inferenceservice"],
    isAsked: ({ autoscaling }) => autoscaling !== undefined,
    hint: "say it of the InferenceService",
  },
  {
    what: "a storage URI",
    kinds: ["inferenceservice"],
    isAsked: ({ storageUri }) => storageUri !== undefined,
    hint: "write --kind inferenceservice",
  },
  {
    what: "routes of a gateway",
    kinds: ["deployment"],
    isAsked: ({ route }) => route !== undefined,
    hint: "write --kind deployment; the operators of the others make routes of their own",
  },
  {
    what: "a call past the executor",
    kinds: ["seldon"],
    isAsked: ({ hasNoEngine }) => hasNoEngine,
    hint: "leave --no-engine out",
  },
];
