import assert from "node:assert/strict";
import { test } from "node:test";
import { chartFiles, renderServing, type Fragment, type ServedImage } from "./index.ts";
import { canaryPods } from "./deployment.ts";
import { graceSecondsOf } from "./serving-pod.ts";
import type { ServingOptions } from "./serving-options.ts";

const IMAGE: ServedImage = {
  reference: `registry.example.com/team/iris@sha256:${"a".repeat(64)}`,
  kinds: ["sklearn"],
  takesModel: false,
  contract: "seldon",
  ports: { http: 9000, grpc: 5000, metrics: 6000 },
  hasServer: true,
};
const PLAIN: ServingOptions = { kind: "deployment", name: "iris" };

const render = (options: Partial<ServingOptions> = {}, image = IMAGE): readonly Fragment[] =>
  renderServing(image, { ...PLAIN, ...options });
const kindsOf = (objects: readonly Fragment[]): readonly unknown[] =>
  objects.map(({ kind }) => kind);

test("a plain cluster gets only objects that it has definitions of, in a fixed order", () => {
  assert.deepEqual(kindsOf(render()), ["Deployment", "Service", "Service", "PodDisruptionBudget"]);
  assert.equal(JSON.stringify(render()), JSON.stringify(render()));
});

test("each option adds its object", () => {
  const canary = { image: IMAGE, percent: 10 };
  assert.deepEqual(
    kindsOf(
      render({
        cpus: "1",
        autoscaling: { by: "cpu", target: 70, min: 2, max: 9 },
        canary,
        shadow: canary,
        route: { gateway: "infra/public", hosts: ["iris.example.com"] },
        monitor: "pod",
        networkPolicy: { namespaces: ["monitoring"] },
      }),
    ),
    [
      "Deployment",
      "Deployment",
      "Deployment",
      "Service",
      "Service",
      "Service",
      "Service",
      "PodDisruptionBudget",
      "HorizontalPodAutoscaler",
      "HTTPRoute",
      "GRPCRoute",
      "PodMonitor",
      "NetworkPolicy",
    ],
  );
});

test("the grace period holds the pause, the longest request and the end of the workers", () => {
  for (const [settleS, requestS] of [
    [5, 60],
    [0, 1],
    [20, 600],
  ] as const) {
    const grace = graceSecondsOf({ ...PLAIN, settleS, requestS });
    assert.ok(grace > settleS + requestS, String(grace));
  }
  const text = JSON.stringify(render({ requestS: 300, settleS: 10 }));
  assert.match(text, /"preStop":\{"sleep":\{"seconds":10\}\}/);
  assert.match(text, /"SLIPWAY_DRAIN_GRACE_MS","value":"300000"/);
  const older = JSON.stringify(render({ drain: "server", settleS: 10 }));
  assert.doesNotMatch(older, /preStop/);
  assert.match(older, /"SLIPWAY_DRAIN_DELAY_MS","value":"10000"/);
});

test("a hook of a SeldonDeployment needs neither a shell nor the sleep action", () => {
  const text = JSON.stringify(render({ kind: "seldon" }));
  assert.match(text, /"preStop":\{"exec":\{"command":\["\/opt\/slipway\/node","-e"/);
  assert.doesNotMatch(text, /"sleep"|\/bin\/sh/);
});

test("pods of a canary take the share of requests that is asked for", () => {
  assert.deepEqual(
    [
      [9, 10],
      [2, 50],
      [3, 0],
      [3, 100],
      [2, 1],
    ].map(([stable = 0, percent = 0]) => canaryPods(stable, percent)),
    [1, 2, 0, 3, 1],
  );
});

test("an autoscaler and a number of pods never contradict each other", () => {
  const [deployment = {}] = render({
    cpus: "1",
    autoscaling: { by: "cpu", target: 70, min: 2, max: 9 },
  });
  assert.equal("replicas" in (deployment["spec"] as Fragment), false);
});

test("an image with a server of its own gets probes that only open its port", () => {
  const text = JSON.stringify(render({}, { ...IMAGE, hasServer: false }));
  assert.match(text, /"readinessProbe":\{"tcpSocket":\{"port":"http"\}/);
  assert.doesNotMatch(text, /httpGet/);
});

const REFUSED: readonly (readonly [string, Partial<ServingOptions>, RegExp])[] = [
  ["a name that is no label", { name: "Iris_1" }, /DNS label/],
  ["a bare secret", { env: [{ name: "HF_TOKEN", value: "x" }] }, /looks like a secret/],
  [
    "CPU percent of nothing",
    { autoscaling: { by: "cpu", target: 70, min: 1, max: 2 } },
    /they request none/,
  ],
  [
    "KEDA without Prometheus",
    { autoscaling: { by: "wait", target: 1, min: 1, max: 2, scaler: "keda" } },
    /Prometheus/,
  ],
  [
    "KServe's own autoscaler by requests in flight",
    {
      kind: "inferenceservice",
      autoscaling: { by: "inflight", target: 4, min: 1, max: 2 },
    },
    /KEDA/,
  ],
  [
    "a fixed number beside autoscaling",
    { cpus: "1", replicas: 3, autoscaling: { by: "cpu", target: 70, min: 1, max: 2 } },
    /fixed number of pods/,
  ],
  ["a shadow without a gateway", { shadow: { image: IMAGE, percent: 5 } }, /gateway/],
  [
    "an image volume in a SeldonDeployment",
    { kind: "seldon", weights: { reference: "r@x", way: "volume", hasServer: false } },
    /weights volume/,
  ],
  ["a runtime with a model of its own", { kind: "servingruntime" }, /has a model of its own/],
  ["a quantity that is none", { memory: "much" }, /--memory "much"/],
  ["a namespace that is none", { namespace: "a b" }, /--namespace/],
];
for (const [what, options, message] of REFUSED)
  test(`${what} is refused`, () => {
    assert.throws(() => render(options), { code: "USAGE", message });
  });

test("a secret is referred to and never written", () => {
  const text = JSON.stringify(render({ env: [{ name: "HF_TOKEN", secret: "hub", key: "token" }] }));
  assert.match(text, /"secretKeyRef":\{"name":"hub","key":"token"\}/);
});

test("a chart has the objects as templates and what differs between clusters as values", async () => {
  const files = await chartFiles(
    render({ namespace: "ml", env: [{ name: "A", value: "{{x}}" }] }),
    {
      name: "iris",
      description: "The model iris",
    },
  );
  assert.deepEqual(
    [...files.keys()],
    [
      "Chart.yaml",
      "values.yaml",
      "templates/deployment.yaml",
      "templates/service.yaml",
      "templates/service-grpc.yaml",
      "templates/poddisruptionbudget.yaml",
    ],
  );
  const template = files.get("templates/deployment.yaml") ?? "";
  assert.match(template, /image: \{\{ \.Values\.stable\.image \}\}/);
  assert.match(template, /replicas: \{\{ \.Values\.stable\.replicas \}\}/);
  assert.match(template, /env: \{\{ toJson \.Values\.stable\.env \}\}/);
  assert.doesNotMatch(template, /namespace: ml|__slipway/);
  assert.match(files.get("values.yaml") ?? "", new RegExp(`image: ${IMAGE.reference}`));
});

test("a network policy lets requests in to the ports that the operator gives, not only to the image's", () => {
  const allowed = (options: Partial<ServingOptions>): string =>
    JSON.stringify(
      render({ ...options, networkPolicy: { namespaces: [] } }).find(
        ({ kind }) => kind === "NetworkPolicy",
      ),
    );
  assert.match(allowed({ kind: "seldon" }), /"port":8000.*"port":5001/);
  assert.doesNotMatch(allowed({}), /"port":8000/);
  assert.match(allowed({}), /"port":9000/);
});
