import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import { zipOf } from "../support/archives.ts";
import { requireDockerd } from "../support/dockerd.ts";
import { requirePodman } from "../support/engines.ts";
import { startModelStore, type ModelStore } from "../support/model-store.ts";
import { findPeer, withoutPeer } from "../support/peers.ts";
import { freePort } from "../support/free-port.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const DIGITS = join(ROOT, "test/fixtures/onnx/digits.onnx");

/** Runs an engine's command with storage of the test's own. */
type Engine = (
  args: readonly string[],
  options?: Partial<Parameters<typeof run>[1]>,
) => ReturnType<typeof run>;

const ENGINES: Readonly<Record<string, (t: TestContext) => Promise<Engine | undefined>>> = {
  async docker(t) {
    const daemon = await requireDockerd(t);
    if (daemon === undefined) return undefined;
    return (args, options) => run(["docker", "--host", daemon.host, ...args], options);
  },
  async podman(t) {
    const podman = await requirePodman(t);
    if (podman === undefined) return undefined;
    const words = [podman.engine.program ?? "podman", ...podman.storageArgs] as const;
    const limits = [
      "--runtime",
      "runc",
      "--ulimit",
      "nofile=1024:1024",
      "--ulimit",
      "nproc=1000:1000",
    ];
    return ([command = "", ...args], options) =>
      run([...words, command, ...(command === "run" ? limits : []), ...args], options);
  },
};

/** An archive for docker of the image that has no model in it. */
async function packImage(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-model-server-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const extraEnv = {
    XDG_DATA_HOME: join(folder, "data"),
    XDG_STATE_HOME: join(folder, "state"),
    SLIPWAY_FROM_SOURCE: "1",
  };
  const empty = join(folder, "empty");
  await mkdir(empty);
  const slipway = (...args: readonly string[]): Promise<unknown> =>
    run([process.execPath, join(ROOT, "bin/slipway.js"), ...args], { cwd: empty, extraEnv });
  await run([process.execPath, join(ROOT, "scripts/build.js")], { cwd: ROOT });
  await slipway("base", "debian", "--include", "libgomp1", "--name", "base");
  const archive = join(folder, "image.tar");
  const target = [
    "--base",
    "store:base",
    "-t",
    "store:boot",
    "--output",
    `docker-archive=${archive}`,
  ];
  await slipway("pack", "--contract", "model-server", ...target);
  return archive;
}

/** A file of variables as the model server's document has it. */
async function environmentFile(
  t: TestContext,
  { port }: ModelStore,
  http: number,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-env-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "model.env");
  const store = [`XQUERY_ADDR=store.internal:${port}`, "HOSTS=127.0.0.1<->store.internal"];
  const model = ["MODEL_ID=digits", "MODEL_VERSION=3", "GUID=abc"];
  // Other tests listen on this machine too: in place of 5000.
  const ports = [`PREDICTIVE_UNIT_HTTP_SERVICE_PORT=${http}`];
  await writeFile(file, [...store, ...model, ...ports, ""].join("\n"));
  return file;
}

/** Resolves when the log says for the `count`th time that the server is ready. */
async function untilReady(engine: Engine, name: string, count: number): Promise<void> {
  const { promise, resolve: ready } = Promise.withResolvers<void>();
  let text = "";
  const logs = engine(["logs", "--follow", name], {
    timeoutMs: 60_000,
    allowFailure: true,
    onStdout(chunk) {
      text += Buffer.from(chunk).toString();
      if (text.split('"msg":"ready"').length > count) ready();
    },
  });
  const over = logs.then(() => Promise.reject(new Error(`the container ended: ${text}`)));
  over.catch(() => undefined); // ends with the container
  await Promise.race([promise, over]);
}

async function fetchesAndServes(t: TestContext, engine: Engine, image: string): Promise<void> {
  const http = await freePort();
  const store = await startModelStore(
    t,
    zipOf({ "model/model/digits.onnx": await readFile(DIGITS) }),
  );
  const env = ["--env-file", await environmentFile(t, store, http)];
  const name = `localtest-${http}`;
  const start = ["run", "--detach", "--network", "host", "--name", name];
  await engine([...start, ...env, image, "bash"]);
  try {
    await untilReady(engine, name, 1);
    const info = await (await fetch(`http://127.0.0.1:${http}/info`)).text();
    assert.match(info, /digits/);
    assert.equal((await fetch(`http://127.0.0.1:${http}/ready`)).status, 200);
    assert.equal(store.requests[0]?.target, "/?model_id=digits&model_version=3&guid=abc");
    await engine(["restart", name]);
    await untilReady(engine, name, 2);
    assert.equal(store.requests.length, 1, "the model is kept over a restart");
  } finally {
    await engine(["rm", "--force", name]);
  }
  store.fault({ kind: "status", status: 404 });
  const failed = await engine(["run", "--rm", "--network", "host", ...env, image], {
    allowFailure: true,
  });
  assert.equal(failed.exitCode, 7);
  assert.match(failed.stdout.toString(), /REFERENCE_NOT_FOUND.*answered 404/);
}

test("an image without a model fetches the one that a file of variables names, and serves it", async (t) => {
  if (findPeer("apt-get") === undefined) return withoutPeer(t, '"apt-get" is not installed');
  const archive = await packImage(t);
  for (const [kind, open] of Object.entries(ENGINES)) {
    await t.test(kind, async (inner) => {
      const engine = await open(inner);
      if (engine === undefined) return;
      await engine(["load", "--input", archive]);
      const image = (await engine(["images", "--quiet"])).stdout.toString().trim();
      await fetchesAndServes(inner, engine, image);
    });
  }
});
