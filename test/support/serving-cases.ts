import {
  renderServing,
  type Fragment,
  type ServedImage,
  type ServingOptions,
} from "../../src/jobs/kubernetes/index.ts";

/** Options and what they are rendered to; together they use every option of every kind of object. */
export interface ServingCase {
  readonly name: string;
  readonly objects: readonly Fragment[];
}

const IMAGE: ServedImage = {
  reference: `registry.example.com/team/iris@sha256:${"a".repeat(64)}`,
  kinds: ["sklearn"],
  takesModel: false,
  contract: "seldon",
  ports: { http: 9000, grpc: 5000, metrics: 6000 },
  hasServer: true,
};
const OTHER: ServedImage = { ...IMAGE, reference: IMAGE.reference.replace("iris@", "iris2@") };
const RUNTIME: ServedImage = { ...IMAGE, kinds: ["sklearn", "xgboost"], takesModel: true };
const OWN_SERVER: ServedImage = { ...IMAGE, hasServer: false, ports: { http: 8080 } };

const RICH: Omit<ServingOptions, "kind"> = {
  name: "iris",
  namespace: "ml",
  cpus: "500m",
  memory: "1Gi",
  gpus: 1,
  sharedMemory: "1Gi",
  env: [
    { name: "LOG_LEVEL", value: "yes" },
    { name: "HF_TOKEN", secret: "hub", key: "token" },
  ],
  pullSecret: "reg",
  priorityClass: "high",
  serviceAccount: "model",
  nodeSelector: { accelerator: "a100" },
  tolerations: [{ key: "team", operator: "Equal", value: "ml", effect: "NoSchedule" }],
  runAs: { user: 1000, group: 1000 },
  startupS: 1200,
  requestS: 300,
  settleS: 10,
  annotations: { "example.com/owner": "ml" },
  weights: {
    reference: `registry.example.com/team/weights@sha256:${"b".repeat(64)}`,
    way: "init",
    hasServer: false,
    runAsUser: 65_534,
  },
  monitor: "service",
  networkPolicy: { namespaces: ["ingress"] },
};
const ROUTE = { gateway: "infra/public", hosts: ["iris.example.com"] };
const BY_CPU = { by: "cpu", target: 70, min: 2, max: 9 } as const;
const ASKS = { scaler: "keda", prometheus: "http://prometheus.monitoring:9090" } as const;

const PARAMETER = { name: "depth", value: "8", type: "INT" };
const leaf = { methods: [], parameters: [], children: [], env: {} } as const;
const GRAPH: NonNullable<ServingOptions["graph"]> = {
  root: {
    ...leaf,
    name: "choose",
    type: "ROUTER",
    children: [
      { ...leaf, name: "small", type: "MODEL", parameters: [PARAMETER], env: { A: "b" } },
      {
        ...leaf,
        name: "join",
        type: "COMBINER",
        methods: ["SEND_FEEDBACK"],
        children: [
          { ...leaf, name: "one", implementation: "RANDOM_ABTEST" },
          { ...leaf, name: "far", endpoint: { host: "far.example.com", httpPort: 9000 } },
        ],
      },
    ],
  },
  images: new Map([
    ["choose", IMAGE],
    ["small", OTHER],
    ["join", OTHER],
  ]),
};

const OPTIONS: readonly (readonly [string, ServingOptions, ServedImage?])[] = [
  ["plain deployment", { kind: "deployment", name: "iris" }],
  ["server of its own", { kind: "deployment", name: "iris", drain: "server" }, OWN_SERVER],
  ["rich deployment", { ...RICH, kind: "deployment", replicas: 3 }],
  [
    "deployment by CPU",
    { ...RICH, kind: "deployment", autoscaling: BY_CPU, monitor: "pod", probesGrpc: true },
  ],
  [
    "deployment by requests in flight",
    { kind: "deployment", name: "iris", autoscaling: { ...BY_CPU, by: "inflight", target: 2.5 } },
  ],
  [
    "deployment by the wait, with KEDA",
    {
      kind: "deployment",
      name: "iris",
      autoscaling: { ...BY_CPU, ...ASKS, by: "wait", target: 0.2 },
    },
  ],
  [
    "deployment by CPU, with KEDA",
    { kind: "deployment", name: "iris", cpus: "1", autoscaling: { ...BY_CPU, ...ASKS } },
  ],
  ["canary beside", { kind: "deployment", name: "iris", canary: { image: OTHER, percent: 10 } }],
  [
    "canary and shadow behind a gateway",
    {
      kind: "deployment",
      name: "iris",
      route: ROUTE,
      canary: { image: OTHER, percent: 10 },
      shadow: { image: OTHER, percent: 5 },
    },
  ],
  ["plain route", { kind: "deployment", name: "iris", route: { gateway: "public", hosts: [] } }],
  [
    "weights volume",
    {
      kind: "deployment",
      name: "iris",
      weights: { reference: IMAGE.reference, way: "volume", hasServer: false },
    },
  ],
  ["plain seldon", { kind: "seldon", name: "iris", hasNoEngine: true }],
  ["rich seldon", { ...RICH, kind: "seldon", replicas: 2 }],
  [
    "seldon with canary and shadow",
    {
      ...RICH,
      kind: "seldon",
      autoscaling: BY_CPU,
      canary: { image: OTHER, percent: 10 },
      shadow: { image: OTHER, percent: 50 },
    },
  ],
  [
    "seldon by the wait",
    {
      kind: "seldon",
      name: "iris",
      autoscaling: { ...BY_CPU, ...ASKS, by: "wait", target: 0.2 },
    },
  ],
  ["seldon graph", { ...RICH, kind: "seldon", graph: GRAPH }],
  ["plain inference service", { kind: "inferenceservice", name: "iris" }],
  ["rich inference service", { ...RICH, kind: "inferenceservice", autoscaling: BY_CPU }],
  [
    "inference service by requests in flight",
    {
      kind: "inferenceservice",
      name: "iris",
      autoscaling: { ...BY_CPU, ...ASKS, by: "inflight", target: 4 },
    },
  ],
  [
    "inference service of a runtime",
    {
      kind: "inferenceservice",
      name: "iris",
      cpus: "1",
      storageUri: "oci://registry.example.com/team/weights:v1",
    },
    RUNTIME,
  ],
  ["serving runtime", { kind: "servingruntime", name: "slipway-sklearn" }, RUNTIME],
  [
    "rich serving runtime",
    { ...RICH, kind: "servingruntime", name: "slipway-sklearn", weights: undefined },
    RUNTIME,
  ],
];

/** Rendered once, for all tests. */
export const SERVING_CASES: readonly ServingCase[] = OPTIONS.map(
  ([name, options, image = IMAGE]) => ({ name, objects: renderServing(image, options) }),
);
