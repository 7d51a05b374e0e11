import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import { requirePeer } from "./peers.ts";
import { startTokenServer, type TokenServer, type TokenServerOptions } from "./token-server.ts";
import { freePort } from "./free-port.ts";

/** Debian's docker-registry, running on loopback with a folder of its own. */
export interface DockerRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly username: string;
  readonly password: string;
  /** Where it keeps its files. */
  readonly folder: string;
  /** The token server, with `auth: "token"`. */
  readonly tokens?: TokenServer;
  stop(): Promise<void>;
}

export interface DockerRegistryOptions {
  /** Default `none`. */
  readonly auth?: "none" | "htpasswd" | "token";
  /** Certificate and key files: the registry then speaks HTTPS. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** For `auth: "token"`. */
  readonly tokens?: Pick<TokenServerOptions, "lifetimeSeconds" | "publicRepositories">;
}

const USERNAME = "tester";
const PASSWORD = "s3cret, with: signs";

/**
 * Starts Debian's docker-registry on a free port and waits until it answers; it ends with the test. Skips the test and
 * gives `undefined` where the program is missing.
 */
export async function startDockerRegistry(
  t: TestContext,
  options: DockerRegistryOptions = {},
): Promise<DockerRegistry | undefined> {
  const program = await requirePeer(t, "docker-registry");
  if (program === undefined) return undefined;
  if (options.auth === "htpasswd" && (await requirePeer(t, "htpasswd")) === undefined)
    return undefined;
  if (options.auth === "token" && (await requirePeer(t, "openssl")) === undefined) return undefined;
  const folder = await createTempDir("docker-registry");
  const tokens =
    options.auth === "token"
      ? await startTokenServer({
          folder: folder.path,
          username: USERNAME,
          password: PASSWORD,
          ...options.tokens,
        })
      : undefined;
  const started = await startOnFreePort(program, folder.path, { ...options, server: tokens });
  const stop = onlyOnce(async () => {
    await end(started.child);
    await tokens?.close();
    await folder[Symbol.asyncDispose]();
  });
  t.after(stop);
  return {
    host: started.host,
    username: USERNAME,
    password: PASSWORD,
    folder: folder.path,
    stop,
    ...(tokens === undefined ? {} : { tokens }),
  };
}

type Setup = DockerRegistryOptions & { readonly server: TokenServer | undefined };

/** The program cannot choose a port by itself; another process may take the one that was free a moment ago. */
async function startOnFreePort(
  program: string,
  folder: string,
  setup: Setup,
): Promise<{ readonly host: string; readonly child: ChildProcess }> {
  for (let attempt = 1; ; attempt += 1) {
    const host = `127.0.0.1:${await freePort()}`;
    const configFile = join(folder, "config.yml");
    await writeFile(configFile, await configOf(folder, host, setup));
    const child = spawn(program, ["serve", configFile], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], OTEL_TRACES_EXPORTER: "none" },
    });
    const problem = await untilListening(child);
    if (problem === undefined) return { host, child };
    await end(child);
    if (attempt >= 5 || !problem.includes("address already in use"))
      throw new Error(`docker-registry does not start: ${problem}`);
  }
}

async function configOf(folder: string, host: string, setup: Setup): Promise<string> {
  const config = {
    version: 0.1,
    log: { level: "info", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, "data") }, delete: { enabled: true } },
    http: {
      addr: host,
      ...(setup.tls === undefined
        ? {}
        : { tls: { certificate: setup.tls.certFile, key: setup.tls.keyFile } }),
    },
    ...(await authOf(folder, setup)),
  };
  return JSON.stringify(config); // JSON is YAML
}

async function authOf(folder: string, setup: Setup): Promise<object> {
  if (setup.server !== undefined) {
    const { realm, service, issuer, certFile } = setup.server;
    return { auth: { token: { realm, service, issuer, rootcertbundle: certFile } } };
  }
  if (setup.auth !== "htpasswd") return {};
  const path = join(folder, "htpasswd");
  const { stdout } = await run(["htpasswd", "-Bbn", "-C", "4", USERNAME, PASSWORD]);
  await writeFile(path, stdout);
  return { auth: { htpasswd: { realm: "test", path } } };
}

/** @returns nothing when it listens, else what it said before it ended. Its output is drained for as long as it runs. */
async function untilListening(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    let output = "";
    const take = (chunk: Buffer): void => {
      if (output.length < 65_536) output += chunk.toString("utf8");
      if (output.includes("listening on")) resolve(undefined);
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    child.once("exit", () => resolve(output));
    child.once("error", (error) => resolve(error.message));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

function onlyOnce(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= action());
}
