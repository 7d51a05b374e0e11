import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { requireCluster, startMetricsApi, type Cluster } from "../support/cluster.ts";
import { type PackPlace, packPlace } from "../support/pack-place.ts";
import { startRegistry } from "../support/registry-fixture.ts";
import { startSteadyLoad, type LoadReport } from "../support/steady-load.ts";
import { runGuide } from "./guide.ts";
import { checkDefinitions } from "./definitions.ts";

const ECHO = `import os, time

class Echo:
    def predict(self, X, names, meta=None):
        if float(X[0][0]) < 0:
            time.sleep(-float(X[0][0]))
        return X

    def tags(self):
        return {"version": os.environ.get("ECHO_VERSION", "1")}
`;
const NAMESPACE = "echo";

/** Everything that the parts of the test share. */
interface Place {
  readonly t: TestContext;
  readonly cluster: Cluster;
  readonly user: PackPlace;
  /** Names of pushed images by version. */
  readonly images: Readonly<Record<"1" | "2", string>>;
  /** `HOST:PORT` that nodes fetch from. */
  readonly registry: string;
}

test(
  "a real cluster takes what is rendered, and loses no request",
  { timeout: 580_000 },
  async (t) => {
    const cluster = await requireCluster(t, { nodes: 2 });
    if (cluster === undefined) return;
    await t.test("every object is taken in strict mode by the real API server", (part) =>
      checkDefinitions(part, cluster),
    );
    const place = await preparePlace(t, cluster);
    await t.test("from a pushed image to an answer, restricted, read-only, any user", () =>
      servesRestricted(place),
    );
    await t.test("weights of another image are copied into the pod before it starts", () =>
      servesCopiedWeights(place),
    );
    await t.test("the guide's ten commands run as they stand", (part) =>
      runGuide(part, { ...place, registry: `${place.registry}/team` }),
    );
    await t.test("a training job is read, waited for and removed", () => runsJob(place));
    await t.test("a rolling update loses nothing", () => rollsOver(place));
    await t.test("a deleted pod loses nothing", () => deletesPod(place));
    await t.test("a canary from 10 to 100 % loses nothing", () => growsCanary(place));
    await t.test("a drained node loses nothing", () => drainsNode(place));
    await t.test("pods follow the CPU up and down, and nothing is lost", () => scales(place));
  },
);

async function preparePlace(t: TestContext, cluster: Cluster): Promise<Place> {
  const registry = await startRegistry();
  t.after(() => registry[Symbol.asyncDispose]());
  const user = await packPlace(t, { isBare: true });
  const say = async (...args: readonly string[]): Promise<void> => {
    const { exitCode, stderr } = await user.run(args);
    assert.equal(exitCode, 0, `${args.join(" ")}: ${stderr}`);
  };
  await say("base", "debian", "--include", "python3-minimal,python3-numpy", "--name", "pybase");
  const images = { "1": "", "2": "" };
  for (const version of ["1", "2"] as const) {
    const folder = join(user.root, `echo${version}`);
    const name = `127.0.0.1:${registry.server.port}/test/echo:v${version}`;
    await mkdir(folder);
    await writeFile(join(folder, "Echo.py"), ECHO);
    await writeFile(
      join(folder, "slipway.yaml"),
      `name: echo\nimage: ${name}\ncode: Echo.py:Echo\nbase: store:pybase\nenv: { ECHO_VERSION: "${version}", GUNICORN_THREADS: "16" }\n`,
    );
    await say("pack", folder, "--push");
    images[version] = name;
  }
  await cluster.kubectl(["create", "namespace", NAMESPACE]);
  await cluster.kubectl([
    "label",
    ...["namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted"],
  ]);
  return { t, cluster, user, images, registry: `127.0.0.1:${registry.server.port}` };
}

/** `slipway manifest … --apply`, with what keeps the test short. */
async function apply({ user, cluster }: Place, ...args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await user.run(
    [
      ...["manifest", ...args, "--namespace", NAMESPACE, "--settle", "3", "--timeout", "10"],
      ...["--cpus", "50m", "--memory", "256Mi", "--apply"],
    ],
    { env: cluster.env },
  );
  assert.equal(exitCode, 0, stderr);
}

const rollout = ({ cluster }: Place, name = "echo"): Promise<string> =>
  cluster.kubectl([
    ...["-n", NAMESPACE, "rollout", "status", `deployment/${name}`, "--timeout=120s"],
  ]);

async function servesRestricted(place: Place): Promise<void> {
  const { cluster, images } = place;
  await timed(place, "manifest", apply(place, images["1"], "--run-as", "123456:0"));
  await timed(place, "two pods ready", rollout(place));
  const pod = await cluster.kubectl([
    ...["-n", NAMESPACE, "get", "pods", "-o"],
    "jsonpath={.items[0].spec.containers[0].securityContext}",
  ]);
  const { runAsUser, readOnlyRootFilesystem } = JSON.parse(pod) as {
    readonly runAsUser: number;
    readonly readOnlyRootFilesystem: boolean;
  };
  assert.deepEqual([runAsUser, readOnlyRootFilesystem], [123_456, true]);
  const report = await underLoad(place, () => Promise.resolve());
  assert.deepEqual([...report.versions.keys()], ["1"]);
}

const HEAVY = `import os

class Heavy:
    def predict(self, X, names):
        found = [os.path.join(at, name) for at, _, names in os.walk("/models") for name in names]
        return open(found[0]).read() + str(os.access(found[0], os.W_OK))
`;

/** A class whose weights lie in an image of their own, on a node that knows no image volumes. */
async function servesCopiedWeights({ cluster, user, registry }: Place): Promise<void> {
  const say = async (...args: readonly string[]): Promise<void> => {
    const { exitCode, stderr } = await user.run(args, { env: cluster.env });
    assert.equal(exitCode, 0, `${args.join(" ")}: ${stderr}`);
  };
  const pack = async (name: string, words: string): Promise<string> => {
    const folder = join(user.root, name);
    await mkdir(join(folder, "model"), { recursive: true });
    await writeFile(join(folder, "Heavy.py"), HEAVY);
    await writeFile(join(folder, "model/words.txt"), words);
    const image = `${registry}/test/${name}:v1`;
    const project = { name, image, code: "Heavy.py:Heavy", model: "./model", base: "store:pybase" };
    await writeFile(join(folder, "slipway.yaml"), JSON.stringify(project));
    await say("pack", folder, "--push");
    return image;
  };
  const [code, weights] = [await pack("heavy", "old "), await pack("heavy-weights", "new ")];
  await say(
    ...["manifest", code, "--weights", "init", "--weights-image", weights, "--replicas", "1"],
    ...["--namespace", NAMESPACE, "--cpus", "50m", "--memory", "256Mi", "--apply"],
  );
  const kubectl = (...args: readonly string[]): Promise<string> =>
    cluster.kubectl(["-n", NAMESPACE, ...args]);
  await kubectl("rollout", "status", "deployment/heavy", "--timeout=120s");
  const host = await kubectl("get", "service", "heavy", "-o", "jsonpath={.spec.clusterIP}");
  const response = await fetch(`http://${host}/api/v1.0/predictions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"data":{"ndarray":[[1]]}}',
  });
  const { strData } = (await response.json()) as { readonly strData?: string };
  assert.equal(strData, "new False");
  await kubectl("delete", "deployment", "heavy", "--wait=false");
}

/** Puts the Service under load from before `change` until after it; nothing may be lost. */
async function underLoad(
  place: Place,
  change: () => Promise<void>,
  least = 1000,
): Promise<LoadReport> {
  const host = await place.cluster.kubectl([
    ...["-n", NAMESPACE, "get", "service", "echo", "-o", "jsonpath={.spec.clusterIP}"],
  ]);
  const load = startSteadyLoad({ host, port: 80, clients: { kept: 4, fresh: 4, slow: 2 } });
  await timed(place, "100 answers", load.reached(100));
  let report: LoadReport;
  try {
    await change();
    await timed(place, `${least} answers`, load.reached(least));
  } finally {
    report = await load.stop();
  }
  place.t.diagnostic(`${report.answered} answered, lost ${JSON.stringify([...report.lost])}`);
  assert.deepEqual([...report.lost], []);
  assert.ok(report.answered >= least);
  return report;
}

/** A Job as `train manifest` writes it, with a program that every image has. */
async function runsJob({ cluster, images, user }: Place): Promise<void> {
  for (const [name, exit] of [
    ["good", 0],
    ["bad", 3],
  ] as const) {
    const container = {
      name: "train",
      image: images["1"],
      command: [
        "/opt/slipway/node",
        "-e",
        `console.log("epoch 1 of ${name}"); process.exit(${exit})`,
      ],
    };
    const pod = { restartPolicy: "Never", containers: [container] };
    await cluster.kubectl(
      ["apply", "-f", "-"],
      JSON.stringify({
        apiVersion: "batch/v1",
        kind: "Job",
        metadata: { name },
        spec: { backoffLimit: 0, template: { spec: pod } },
      }),
    );
  }
  const say = (...words: readonly string[]): ReturnType<PackPlace["run"]> =>
    user.run(["train", ...words, "--namespace", "default"], { env: cluster.env });
  const good = await say("wait", "good", "--timeout", "120");
  assert.equal(good.exitCode, 0, good.stderr);
  const bad = await say("wait", "bad", "--timeout", "120");
  assert.match(bad.stderr, /PROCESS_FAILED.*"bad": it failed/);
  const { stdout } = await say("logs", "good");
  assert.match(stdout, /^\[pod\/good-\S+\/train\] epoch 1 of good$/m);
  for (const name of ["good", "bad"]) assert.equal((await say("delete", name)).exitCode, 0);
  const gone = await say("logs", "good");
  assert.match(gone.stderr, /REFERENCE_NOT_FOUND/);
}

/** Says how long a step took: a slow cluster is seen in the report. */
async function timed<T>({ t }: Place, what: string, step: Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await step;
  t.diagnostic(`${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

async function rollsOver(place: Place): Promise<void> {
  const report = await underLoad(place, async () => {
    await apply(place, place.images["2"], "--run-as", "123456:0");
    await rollout(place);
    await noPodEnds(place);
  });
  assert.ok((report.versions.get("1") ?? 0) > 0 && (report.versions.get("2") ?? 0) > 0);
}

/** Waits until what was deleted is gone. */
async function noPodEnds({ cluster }: Place): Promise<void> {
  for (;;) {
    const ending = await cluster.kubectl([
      ...["-n", NAMESPACE, "get", "pods", "-o"],
      "jsonpath={.items[?(@.metadata.deletionTimestamp)].metadata.name}",
    ]);
    if (ending === "") return;
    await cluster.kubectl([
      ...["-n", NAMESPACE, "wait", "--for=delete", "--timeout=60s"],
      ...ending.split(" ").map((name) => `pod/${name}`),
    ]);
  }
}

async function deletesPod(place: Place): Promise<void> {
  await underLoad(place, async () => {
    const name = await place.cluster.kubectl([
      ...["-n", NAMESPACE, "get", "pods", "-o", "jsonpath={.items[0].metadata.name}"],
    ]);
    await place.cluster.kubectl(["-n", NAMESPACE, "delete", "pod", name]);
    await rollout(place);
  });
}

async function growsCanary(place: Place): Promise<void> {
  const { images, cluster } = place;
  const report = await underLoad(place, async () => {
    await apply(place, images["2"], "--run-as", "123456:0", "--canary", `${images["1"]}=10`);
    await rollout(place, "echo-canary");
    await apply(place, images["2"], "--run-as", "123456:0", "--canary", `${images["1"]}=100`);
    await rollout(place, "echo-canary");
    await apply(place, images["1"], "--run-as", "123456:0");
    await rollout(place);
    await cluster.kubectl(["-n", NAMESPACE, "delete", "deployment", "echo-canary"]);
    await noPodEnds(place);
  });
  assert.ok((report.versions.get("1") ?? 0) > 0 && (report.versions.get("2") ?? 0) > 0);
}

async function drainsNode(place: Place): Promise<void> {
  await underLoad(place, async () => {
    await place.cluster.kubectl(["drain", "n1", "--delete-emptydir-data", "--timeout=120s"]);
    await rollout(place);
  });
  const nodes = await place.cluster.kubectl([
    ...["-n", NAMESPACE, "get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}"],
  ]);
  assert.deepEqual([...new Set(nodes.split(" "))], ["n2"]);
  await place.cluster.kubectl(["uncordon", "n1"]);
}

async function scales(place: Place): Promise<void> {
  const { cluster, images } = place;
  await startMetricsApi(cluster);
  const scaled = (count: number): Promise<string> =>
    cluster.kubectl([
      ...["-n", NAMESPACE, "wait", "--timeout=150s", "deployment/echo"],
      `--for=jsonpath={.status.readyReplicas}=${count}`,
    ]);
  await underLoad(place, async () => {
    await apply(
      place,
      ...[images["1"], "--run-as", "123456:0", "--autoscale", "cpu=50", "--min", "1", "--max", "3"],
      "--set",
      "HorizontalPodAutoscaler:spec.behavior.scaleDown.stabilizationWindowSeconds=5",
    );
    await scaled(3);
  });
  await scaled(1);
}
