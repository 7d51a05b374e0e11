import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { parseAllDocuments } from "yaml";
import { run } from "../src/ground/process/index.ts";
import { lacksForCluster, startCluster, type Cluster } from "../test/support/cluster.ts";
import { startRegistry } from "../test/support/registry-fixture.ts";
import { interleave, publish, type Contestant } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";

// From `kubectl apply` to the first answer, with an image that the node has: ours, and a web server that `sh -c` starts in a pod of the same kind.

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    /** Folder where the image and the base are kept for another run. */
    home: { type: "string" },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 7));
const ROOT = resolve(import.meta.dirname, "..");
const home = values.home ?? mkdtempSync(join(tmpdir(), "slipway-bench-"));
const CLASS = "class Echo:\n    def predict(self, X, names):\n        return X\n";
const WEB_SERVER =
  "busybox mkdir -p /tmp/www && echo ok > /tmp/www/ready && exec busybox httpd -f -p 9000 -h /tmp/www";

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

interface Deployment extends Manifest {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly object[] } };
  };
}

/** Our own command line; what it printed. */
async function slipway(...args: readonly string[]): Promise<string> {
  const { stdout } = await run([process.execPath, join(ROOT, "bin/slipway.js"), ...args], {
    extraEnv: { HOME: home, XDG_DATA_HOME: home, XDG_CACHE_HOME: join(home, "cache") },
    timeoutMs: 600_000,
  });
  return stdout.toString("utf8");
}

/** Packs a class on a base with busybox, and pushes it. */
async function pushImage(registry: string): Promise<string> {
  const folder = join(home, "echo");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "Echo.py"), CLASS);
  const image = `${registry}/bench/echo:v1`;
  writeFileSync(
    join(folder, "slipway.yaml"),
    `name: echo\nimage: ${image}\ncode: Echo.py:Echo\nbase: store:benchbase\n`,
  );
  const packages = "python3-minimal,python3-numpy,busybox,dash";
  await slipway("base", "debian", "--include", packages, "--name", "benchbase");
  await slipway("pack", folder, "--push");
  return image;
}

/** The objects that serve an image, as `manifest` writes them. */
async function objectsOf(
  image: string,
): Promise<{ readonly service: Manifest; readonly deployment: Deployment }> {
  const text = await slipway(
    ...["manifest", image, "--replicas", "1", "--cpus", "50m", "--memory", "256Mi"],
    ...["--settle", "0"],
  );
  const objects = parseAllDocuments(text).map((one) => one.toJS() as Manifest); // ours
  const byKind = (kind: string): Manifest => {
    const found = objects.find((one) => one.kind === kind);
    if (found === undefined) throw new Error(`manifest wrote no ${kind}`);
    return found;
  };
  return { service: byKind("Service"), deployment: byKind("Deployment") as Deployment };
}

/** The same pod with another program in it. */
function withCommand(deployment: Deployment, command: readonly string[]): Deployment {
  const { spec } = deployment;
  const [container] = spec.template.spec.containers;
  const pod = { ...spec.template.spec, containers: [{ ...container, command }] };
  return { ...deployment, spec: { ...spec, template: { ...spec.template, spec: pod } } };
}

/** The same pod, which counts as soon as its program runs. */
function withoutProbes(deployment: Deployment): Deployment {
  const { spec } = deployment;
  const [container] = spec.template.spec.containers;
  const bare = { ...container, startupProbe: null, readinessProbe: null, livenessProbe: null };
  const pod = { ...spec.template.spec, containers: [bare] };
  return { ...deployment, spec: { ...spec, template: { ...spec.template, spec: pod } } };
}

/** True when the address gives the answer. */
function answers(host: string, port: number, body: string): Promise<boolean> {
  return new Promise((settle) => {
    const call = request(
      {
        ...{ host, port, agent: false, timeout: 500 },
        path: body === "" ? "/ready" : "/api/v1.0/predictions",
        method: body === "" ? "GET" : "POST",
        headers: body === "" ? {} : { "content-type": "application/json" },
      },
      (response) => {
        response.resume();
        response.once("end", () => settle(response.statusCode === 200));
      },
    );
    call.once("timeout", () => call.destroy());
    call.once("error", () => settle(false));
    call.end(body);
  });
}

interface Pod {
  readonly cluster: Cluster;
  readonly service: string;
  readonly deployment: Deployment;
  /** Of a prediction; empty asks a file. */
  readonly body: string;
}

/** Applies the Deployment, waits for an answer through the Service, and takes it away again. */
async function startPod({ cluster, service, deployment, body }: Pod): Promise<{ ms: number }> {
  const { name } = deployment.metadata;
  const startedAt = performance.now();
  const applied = cluster.kubectl(["apply", "-f", "-"], JSON.stringify(deployment));
  while (!(await answers(service, 80, body))) {
    if (performance.now() - startedAt > 60_000) throw new Error(`no answer of ${name}`);
    await pause(5);
  }
  const ms = performance.now() - startedAt;
  await applied;
  await cluster.kubectl(["delete", "deployment", name, "--wait=false"]);
  const pods = ["pods", "-l", `app.kubernetes.io/name=${name}`];
  while ((await cluster.kubectl(["get", ...pods, "-o", "name"])) !== "")
    await cluster.kubectl(["delete", ...pods, "--grace-period=0", "--force", "--wait=false"]);
  return { ms };
}

async function measure(cluster: Cluster, registry: string): Promise<void> {
  const { service, deployment } = await objectsOf(await pushImage(registry));
  await cluster.kubectl(["apply", "-f", "-"], JSON.stringify(service));
  const address = await cluster.kubectl([
    ...["get", "service", service.metadata.name, "-o", "jsonpath={.spec.clusterIP}"],
  ]);
  const pod = { cluster, service: address };
  const ours: Contestant = {
    name: "slipway, to the first prediction",
    run: () => startPod({ ...pod, deployment, body: '{"data":{"ndarray":[[1.5,2]]}}' }),
  };
  const program = withCommand(deployment, ["sh", "-c", WEB_SERVER]);
  const shell: Contestant = {
    name: "sh -c with busybox httpd, the same pod, to the first file",
    run: () => startPod({ ...pod, deployment: program, body: "" }),
  };
  const bare: Contestant = {
    name: "the same without probes",
    run: () => startPod({ ...pod, deployment: withoutProbes(program), body: "" }),
  };
  await ours.run(0); // the node has the image then
  const parts = { "a pod with a cached image": await interleave([ours, shell, bare], rounds) };
  if (values.quick) process.stdout.write(`${JSON.stringify(parts, undefined, 2)}\n`);
  else publish("pod-start", describeMachine({ containerd: ["containerd", "--version"] }), parts);
}

const lacks = await lacksForCluster();
if (lacks !== undefined) throw new Error(`no cluster: ${lacks}`);
await using registry = await startRegistry();
const { cluster, end } = await startCluster({
  nodes: 1,
  signal: AbortSignal.timeout(30 * 60_000),
});
try {
  await measure(cluster, `127.0.0.1:${registry.server.port}`);
} finally {
  await end();
  if (values.home === undefined) rmSync(home, { recursive: true, force: true });
}
