import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import { findPeer } from "./peers.ts";

const SCRIPTS = resolve(import.meta.dirname, "../cluster");
const PROGRAMS = ["etcd", "containerd", "ctr", "runc", "conntrack", "iptables", "openssl", "gcc"];
const NETWORK_PLUGIN = "/usr/lib/cni/bridge";

/** A Kubernetes of the test's own on this machine. */
export interface Cluster {
  /** For child processes: kubectl's configuration, and a PATH with kubectl. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs kubectl; gives what it printed. */
  readonly kubectl: (args: readonly string[], stdin?: string) => Promise<string>;
  /** The same where failing is an answer. */
  readonly tryKubectl: (args: readonly string[], stdin?: string) => Promise<KubectlAnswer>;
}

export interface KubectlAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where the cluster's binary is kept and its state lives. */
function clusterHome(): string {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return process.env["CLUSTER_HOME"] ?? join(cache, "slipway-test", "cluster");
}

/**
 * Starts a cluster, which goes away with the test. Where it cannot be had the test is skipped with the reason and `undefined` comes back;
 * with `SLIPWAY_REQUIRE_CLUSTER=1` the test fails instead.
 */
export async function requireCluster(
  t: TestContext,
  { nodes }: { readonly nodes: 1 | 2 },
): Promise<Cluster | undefined> {
  const why = await lacksForCluster();
  if (why !== undefined) {
    if (process.env["SLIPWAY_REQUIRE_CLUSTER"] === "1") throw new Error(`no cluster: ${why}`);
    t.skip(why);
    return undefined;
  }
  const { cluster, end } = await startCluster({ nodes, signal: t.signal });
  t.after(end);
  return cluster;
}

/** A cluster that is running, and what takes it away. */
export interface StartedCluster {
  readonly cluster: Cluster;
  readonly end: () => Promise<void>;
}

/** Starts a cluster on a machine that has what it needs. */
export async function startCluster({
  nodes,
  signal,
}: {
  readonly nodes: 1 | 2;
  readonly signal: AbortSignal;
}): Promise<StartedCluster> {
  const home = clusterHome();
  const script = async (name: string): Promise<void> => {
    await run(["bash", join(SCRIPTS, name)], {
      extraEnv: { CLUSTER_HOME: home, NODES: String(nodes) },
      timeoutMs: 240_000,
    });
  };
  const end = (): Promise<void> => script("down.sh");
  try {
    await script("up.sh");
  } catch (error) {
    await end();
    throw error;
  }
  return { cluster: clusterAt(home, signal), end };
}

function clusterAt(home: string, signal: AbortSignal): Cluster {
  const env = {
    KUBECONFIG: join(home, "etc/admin.kubeconfig"),
    PATH: `${join(home, "bin")}:${process.env["PATH"] ?? ""}`,
    CLUSTER_HOME: home,
  };
  const tryKubectl: Cluster["tryKubectl"] = async (args, stdin = "") => {
    let stderr = "";
    const { exitCode, stdout } = await run([join(home, "bin/kubectl"), ...args], {
      stdin,
      extraEnv: env,
      allowFailure: true,
      signal,
      onStderr: (text) => (stderr += text),
    });
    return { exitCode, stdout: stdout.toString("utf8"), stderr };
  };
  return {
    env,
    tryKubectl,
    kubectl: async (args, stdin) => {
      const { exitCode, stdout, stderr } = await tryKubectl(args, stdin);
      if (exitCode !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
      return stdout;
    },
  };
}

/** Starts the metrics API that autoscalers ask. */
export async function startMetricsApi({ env }: Cluster): Promise<void> {
  await run(["bash", join(SCRIPTS, "stub.sh")], { extraEnv: env, timeoutMs: 90_000 });
}

/** What this machine lacks for a cluster; undefined for nothing. */
export async function lacksForCluster(): Promise<string | undefined> {
  if (process.env["SLIPWAY_SLOW"] !== "1") return "SLIPWAY_SLOW=1 starts a real Kubernetes";
  if (process.getuid?.() !== 0) return "a cluster is started by root";
  const missing = PROGRAMS.filter((program) => findPeer(program) === undefined);
  if (missing.length > 0)
    return `${missing.join(", ")} not installed (scripts/setup-peers.sh gets it)`;
  const isThere = (path: string): Promise<boolean> =>
    access(path).then(
      () => true,
      () => false,
    );
  if (!(await isThere(NETWORK_PLUGIN))) return `there is no ${NETWORK_PLUGIN}`;
  const binary = join(clusterHome(), "bin/kube");
  if (!(await isThere(binary)))
    return `there is no ${binary} yet: test/cluster/build.sh makes it in about 12 minutes of CPU time`;
  return undefined;
}
