import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { EngineOptions } from "../../src/images/engine/index.ts";
import { createTempDir, run, type TempDir } from "../../src/ground/process/index.ts";
import { findPeer, requirePeer, withoutPeer } from "./peers.ts";

/** A docker daemon of the test's own. */
export interface Dockerd {
  /** For `DOCKER_HOST`. */
  readonly host: string;
  /** For `createEngine`. */
  readonly engine: EngineOptions;
  /** Runs the docker program against it. @returns standard output. */
  docker(...args: readonly string[]): Promise<string>;
}

interface Running extends Dockerd {
  stop(): Promise<void>;
}

let running: Promise<Running> | undefined;
after(async () => (await running?.catch(() => undefined))?.stop());

/**
 * The private daemon of this test process: started on first use, stopped after the last test, with a network bridge of
 * its own and without touching the machine's packet filter. Published ports are reached over loopback. Skips the test
 * and gives `undefined` without the program or without root.
 */
export async function requireDockerd(t: TestContext): Promise<Dockerd | undefined> {
  const program = await requirePeer(t, "dockerd");
  const client = program === undefined ? undefined : await requirePeer(t, "docker");
  if (program === undefined || client === undefined) return undefined;
  if (process.getuid?.() !== 0) return withoutPeer(t, "dockerd needs root");
  running ??= start(program, client);
  return running;
}

async function start(program: string, client: string): Promise<Running> {
  const folder = await createTempDir("slipway-dockerd");
  const host = `unix://${join(folder.path, "docker.sock")}`;
  const bridge = await makeBridge();
  const args = [
    "--data-root",
    join(folder.path, "data"),
    "--exec-root",
    join(folder.path, "exec"),
    "--pidfile",
    join(folder.path, "pid"),
    "--host",
    host,
  ];
  const child = spawn(
    program,
    [
      ...args,
      ...(bridge === undefined ? [] : ["--bridge", bridge]),
      "--iptables=false",
      "--ip-masq=false",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  child.stderr.pipe(createWriteStream(join(folder.path, "log")));
  const docker = async (...command: readonly string[]): Promise<string> =>
    (await run([client, "--host", host, ...command])).stdout.toString("utf8");
  const stop = (): Promise<void> => end({ child, bridge, folder });
  try {
    await answers(child, docker);
  } catch (error) {
    const log = await readFile(join(folder.path, "log"), "utf8").catch(() => "");
    await stop();
    throw new Error(`dockerd did not start: ${log.split("\n").slice(-5).join("\n")}`, {
      cause: error,
    });
  }
  return {
    host,
    engine: { kind: "docker", program: client, globalArgs: ["--host", host] },
    docker,
    stop,
  };
}

/** Own bridge, so that two daemons on one machine do not hand out the same addresses. */
async function makeBridge(): Promise<string | undefined> {
  const ip = findPeer("ip");
  if (ip === undefined) return undefined;
  const name = `slw${process.pid}`;
  await run([ip, "link", "add", "name", name, "type", "bridge"]);
  await run([ip, "addr", "add", `10.231.${process.pid % 250}.1/24`, "dev", name]);
  await run([ip, "link", "set", name, "up"]);
  return name;
}

async function answers(
  child: ChildProcess,
  docker: (...args: readonly string[]) => Promise<string>,
): Promise<void> {
  const exited = once(child, "exit").then(() => Promise.reject(new Error("it ended")));
  exited.catch(() => undefined);
  for (let attempt = 0; ; attempt += 1) {
    const isUp = await Promise.race([
      docker("version", "--format", "{{.Server.Version}}").then(
        () => true,
        () => false,
      ),
      exited,
    ]);
    if (isUp) return;
    if (attempt === 200) throw new Error("no answer after 20 s");
    await sleep(100);
  }
}

async function end({
  child,
  bridge,
  folder,
}: {
  readonly child: ChildProcess;
  readonly bridge: string | undefined;
  readonly folder: TempDir;
}): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  const ip = findPeer("ip");
  if (bridge !== undefined && ip !== undefined)
    await run([ip, "link", "delete", bridge], { allowFailure: true });
  await unmountNamespaces(join(folder.path, "exec/netns"));
  await folder[Symbol.asyncDispose]();
}

/** The namespace of containers on the host's network stays mounted when the daemon ends. */
async function unmountNamespaces(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) await run(["umount", join(folder, name)], { allowFailure: true });
}
