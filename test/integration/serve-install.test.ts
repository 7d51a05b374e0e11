import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { createSession, serve, type AppEvent, type ReadyEvent } from "../../src/app/index.ts";
import { createTempDir } from "../../src/ground/process/index.ts";
import {
  keepEnvironment,
  type EnvironmentRequest,
} from "../../src/images/python-packages/kept-environment.ts";
import { run } from "../../src/ground/process/index.ts";
import { pythonEnv, requireUv } from "../support/python-env.ts";
import { writeWheel } from "../support/wheels.ts";

const BAYES = resolve(import.meta.dirname, "../fixtures/pickles/bayes-5.pkl");
const ON_ANY_PORT = { ports: { http: 0, grpc: 0, metrics: 0 } };

interface Serving {
  readonly ready: ReadyEvent;
  readonly steps: readonly string[];
  stop(): Promise<void>;
}

async function startServe(
  request: Parameters<typeof serve>[0],
  environment: NodeJS.ProcessEnv,
): Promise<Serving> {
  const abort = new AbortController();
  const steps: string[] = [];
  const { promise, resolve: onReady } = Promise.withResolvers<ReadyEvent>();
  const onEvent = (event: AppEvent): void => {
    if (event.kind === "step") steps.push(event.text);
    if (event.kind === "ready") onReady(event);
  };
  const session = createSession({ environment, signal: abort.signal, onEvent });
  const serving = serve({ ...ON_ANY_PORT, ...request }, session);
  const stop = async (): Promise<void> => {
    abort.abort();
    await serving;
  };
  return { ready: await Promise.race([promise, serving.then(() => promise)]), steps, stop };
}

/** The environment of a user whose caches are empty but for uv's own. */
async function userEnvironment(t: TestContext, uv: string): Promise<NodeJS.ProcessEnv> {
  const folder = await createTempDir("slipway-install");
  t.after(() => folder[Symbol.asyncDispose]());
  const cache = process.env["XDG_CACHE_HOME"] ?? join(process.env["HOME"] ?? "/", ".cache");
  return {
    UV_CACHE_DIR: join(cache, "uv"),
    ...process.env,
    PATH: `${dirname(uv)}:${process.env["PATH"]}`,
    XDG_CACHE_HOME: join(folder.path, "cache"),
    VIRTUAL_ENV: undefined,
  };
}

async function projectOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-project-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await copyFile(BAYES, join(folder, "model.pkl"));
  return folder;
}

test("a pickle without its library at hand says what is missing, and is served with --install, from a kept environment the next time", async (t) => {
  const uv = await requireUv(t);
  const bare = await pythonEnv(t, { packages: ["numpy"] });
  if (uv === undefined || bare === undefined) return;
  const env = await userEnvironment(t, uv);
  const folder = await projectOf(t);
  await assert.rejects(startServe({ folder, python: bare.python }, env), {
    code: "MODEL_LOAD_FAILED",
    message: `load the model in "${folder}": ${bare.python} lacks scikit-learn`,
    hint: /^run `\S+python -m pip install scikit-learn==[\d.]+`, or serve it with --install/,
  });
  const request = { folder, python: bare.python, isInstalled: true };
  const first = await startServe(request, env);
  assert.match(first.steps[0] ?? "", /^installing .*scikit-learn==[\d.]+ below .*environments$/);
  const answer = await fetch(`${first.ready.url}/predict`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ data: { ndarray: [[6, 5, 0]] } }),
  });
  assert.deepEqual(((await answer.json()) as { data: { ndarray: unknown } }).data.ndarray, [1]);
  await first.stop();
  const parameters = '[{"name":"method","value":"predict_proba","type":"STRING"}]';
  const again = await startServe({ ...request, parameters }, { ...env, PATH: "/usr/bin:/bin" });
  assert.deepEqual(again.steps, [`loading ${again.ready.name}`]);
  const shares = [{ datatype: "FP64", name: "predict_proba", shape: [-1, -1] }];
  for (const path of ["/metadata", `/v2/models/${again.ready.name}`]) {
    const metadata = (await (await fetch(again.ready.url + path)).json()) as { outputs: unknown };
    assert.deepEqual(metadata.outputs, shares, path);
  }
  await again.stop();
});

test("an index is for --install, and --install for a folder", async () => {
  const environment = { HOME: tmpdir() };
  const refused: readonly Parameters<typeof serve>[0][] = [
    { folder: ".", indexUrl: "http://127.0.0.1:1/simple" },
    { folder: "hf://team/model", isInstalled: true },
    { isFetched: true, isInstalled: true },
  ];
  for (const request of refused)
    await assert.rejects(startServe(request, environment), { code: "USAGE" });
});

interface Place {
  readonly request: EnvironmentRequest;
  readonly environment: NodeJS.ProcessEnv;
  readonly wheels: string;
}

/** A place to make environments of wheels that lie in a folder; no index is asked. */
async function placeOf(t: TestContext): Promise<Place | undefined> {
  const uv = await requireUv(t);
  if (uv === undefined) return undefined;
  const folder = await createTempDir("slipway-kept");
  t.after(() => folder[Symbol.asyncDispose]());
  const wheels = join(folder.path, "wheels");
  await writeWheel(wheels, { name: "acme-one", requires: ["acme-two"] });
  await writeWheel(wheels, { name: "acme-two" });
  const root = join(folder.path, "root");
  await mkdir(root);
  const request = {
    ...{ root, files: [], lines: ["acme-one"], python: "python3" },
    indexes: { findLinks: [wheels], noIndex: true },
    parent: join(folder.path, "environments"),
  };
  return { request, environment: await userEnvironment(t, uv), wheels };
}

test("an environment is made once by several that ask at once, and anew for other requirements or when its Python is gone", async (t) => {
  const place = await placeOf(t);
  if (place === undefined) return;
  const { request, environment } = place;
  let installed = 0;
  const ask = (lines: readonly string[]): Promise<string | undefined> =>
    keepEnvironment({ ...request, lines }, { environment, onInstall: () => (installed += 1) });
  assert.equal(await ask([]), undefined);
  const left = join(request.parent, ".left");
  const pythons = await Promise.all([1, 2, 3].map(() => ask(["acme-one"])));
  const [python = ""] = pythons;
  assert.equal(new Set(pythons).size, 1);
  assert.equal(installed, 1);
  const names = "import acme_one, acme_two; print(acme_one.name, acme_two.name)";
  const { stdout } = await run([python, "-c", names]);
  assert.equal(stdout.toString(), "acme-one acme-two\n");
  assert.notEqual(await ask(["acme-two"]), python);
  assert.equal(installed, 2);
  await mkdir(left);
  await mkdir(join(request.parent, `.${dirname(dirname(python)).split("/").at(-1)}-dead`));
  await rm(python);
  await symlink("/nonexistent/python", python);
  assert.equal(await ask(["acme-one"]), python);
  assert.equal(installed, 3);
  assert.equal((await run([python, "-c", names])).exitCode, 0);
  const others = (await readdir(request.parent)).filter((name) => name.startsWith("."));
  assert.deepEqual(others, [".left"]); // what a dead process left of this environment is gone, and nothing else
});

test("what cannot be installed leaves nothing behind and says why", async (t) => {
  const place = await placeOf(t);
  if (place === undefined) return;
  const { request, environment } = place;
  const unknown = { ...request, lines: ["acme-three"] };
  await assert.rejects(keepEnvironment(unknown, { environment }), { code: "PACKAGE_UNAVAILABLE" });
  assert.deepEqual(await readdir(request.parent), []);
  const python = "9.9";
  await assert.rejects(keepEnvironment({ ...request, python }, { environment }), {
    code: "TOOL_MISSING",
    message: "find Python 9.9: uv finds none on this machine",
  });
  const bin = join(request.root, "bin");
  await mkdir(bin);
  await writeFile(join(bin, "python3"), "#!/bin/sh\ncase $2 in uv) exit 1;; esac; echo facts\n", {
    mode: 0o755,
  });
  await assert.rejects(keepEnvironment(request, { environment: { ...environment, PATH: bin } }), {
    code: "TOOL_MISSING",
    message: 'make a Python environment: "uv" is not here',
    hint: /pip install uv/,
  });
});
