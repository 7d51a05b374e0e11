import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import { requireDockerd } from "../support/dockerd.ts";
import { requirePodman } from "../support/engines.ts";
import { findPeer, withoutPeer } from "../support/peers.ts";
import { pythonEnv, requireUv } from "../support/python-env.ts";
import { startGrpcClient } from "../support/seldon/grpc.ts";
import { WRAPPER_PACKAGES } from "../support/seldon/servers.ts";
import { get, json, send, type WireRequest } from "../support/seldon/wire.ts";
import { freePorts } from "../support/free-port.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** The folder of Seldon's guide to Docker, but for what its requirements say: there it is seldon-core, which takes minutes to unpack. */
const FOLDER: Readonly<Record<string, string>> = {
  "MyModel.py": `class MyModel(object):
    def __init__(self, greeting="none"):
        print("Initializing")
        self.greeting = greeting

    def predict(self,X,features_names):
        print("Predict called - will run identity function")
        return X

    def tags(self):
        return {"greeting": self.greeting}
`,
  "Other.py": "class Other:\n    def transform_input(self, X, names):\n        return X * 2\n",
  "requirements.txt": "numpy\n",
  Dockerfile: `FROM python:3.7-slim
WORKDIR /app
COPY requirements.txt requirements.txt
RUN pip install -r requirements.txt
COPY . .
EXPOSE 5000
EXPOSE 9000
ENV MODEL_NAME MyModel
ENV SERVICE_TYPE MODEL
ENV FLASK_JSONIFY_PRETTYPRINT_REGULAR=false
RUN chown -R 8888 /app
CMD exec seldon-core-microservice $MODEL_NAME --service-type $SERVICE_TYPE
`,
};
const JAVASCRIPT: Readonly<Record<string, string>> = {
  "MyModel.ts":
    "export class MyModel {\n  predict(X: number[][]): number[][] {\n    return X.map((row) => row.map((value: number) => value * 2));\n  }\n}\n",
  ".s2i/environment": "MODEL_NAME=MyModel\nAPI_TYPE=REST\nSERVICE_TYPE=MODEL\nPERSISTENCE=0\n",
};
const ROW = { data: { ndarray: [[1, 2]] } };

interface Place {
  readonly folder: string;
  readonly slipway: (...args: readonly string[]) => Promise<string>;
}

async function preparePlace(t: TestContext): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-seldon-image-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const extraEnv = {
    XDG_DATA_HOME: join(folder, "data"),
    XDG_STATE_HOME: join(folder, "state"),
    SLIPWAY_FROM_SOURCE: "1",
  };
  const slipway = async (...args: readonly string[]): Promise<string> =>
    (
      await run([process.execPath, join(ROOT, "bin/slipway.js"), ...args], {
        cwd: folder,
        extraEnv,
        signal: t.signal,
      })
    ).stdout.toString();
  return { folder, slipway };
}

async function write(folder: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

/** docker or podman with images and containers of the test's own. */
interface Engine {
  /** Program and arguments before the command. */
  readonly words: readonly [string, ...string[]];
  /** What `run` needs to be told on this machine. */
  readonly limits: readonly string[];
  readonly run: (...args: readonly string[]) => Promise<string>;
}

const ENGINES = ["docker", "podman"] as const;

async function requireEngine(
  t: TestContext,
  kind: (typeof ENGINES)[number],
): Promise<Engine | undefined> {
  if (kind === "docker") {
    const daemon = await requireDockerd(t);
    return daemon === undefined
      ? undefined
      : {
          words: ["docker", "--host", daemon.host],
          limits: [],
          run: (...args) => daemon.docker(...args),
        };
  }
  const podman = await requirePodman(t);
  if (podman === undefined) return undefined;
  return {
    words: [podman.engine.program ?? "podman", ...podman.storageArgs],
    limits: ["--runtime", "runc", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000"],
    run: (...args) => podman.podman(...args),
  };
}

/** Loads the only image of an archive. @returns its id */
async function load(engine: Engine, archive: string): Promise<string> {
  await engine.run("load", "--input", archive);
  return (await engine.run("images", "--quiet")).trim();
}

interface Container {
  readonly engine: Engine;
  readonly image: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly options?: readonly string[];
  readonly command?: readonly string[];
}

/** Runs a container until `use` is through, on ports of this machine, which the environment names as the operator does. */
async function withContainer(
  { engine, image, env = {}, options = [], command = [] }: Container,
  use: (about: {
    readonly http: number;
    readonly grpc: number;
    readonly metrics: number;
    readonly name: string;
  }) => Promise<void>,
): Promise<void> {
  const [http = 0, grpc = 0, metrics = 0] = await freePorts(3);
  const ports = {
    PREDICTIVE_UNIT_HTTP_SERVICE_PORT: http,
    PREDICTIVE_UNIT_GRPC_SERVICE_PORT: grpc,
    PREDICTIVE_UNIT_METRICS_SERVICE_PORT: metrics,
  };
  const variables = Object.entries({ ...ports, ...env }).flatMap(([name, value]) => [
    "--env",
    `${name}=${value}`,
  ]);
  const id = (
    await engine.run(
      "run",
      "--detach",
      "--network",
      "host",
      ...engine.limits,
      ...variables,
      ...options,
      image,
      ...command,
    )
  ).trim();
  try {
    await untilReady(engine, id, http);
    await use({ http, grpc, metrics, name: id });
  } finally {
    await engine.run("rm", "--force", id);
  }
}

/** Waits for the line that the server writes when it answers. */
async function untilReady(engine: Engine, id: string, http: number): Promise<void> {
  const logs = run([...engine.words, "logs", "--follow", id], {
    onStdout: (chunk) => found(chunk),
    timeoutMs: 60_000,
    allowFailure: true,
  });
  const { promise, resolve: ready } = Promise.withResolvers<void>();
  let text = "";
  const found = (chunk: Uint8Array): void => {
    text += Buffer.from(chunk).toString();
    if (text.includes(`"http":${http}`) && text.includes('"msg":"ready"')) ready();
  };
  await Promise.race([
    promise,
    logs.then(() => Promise.reject(new Error(`the container ended: ${text}`))),
  ]);
  void logs.catch(() => undefined); // ends with the container
}

async function answer(port: number, request: WireRequest): Promise<string> {
  return (await send(port, request)).body;
}

test("the folder of Seldon's guide packs without its Dockerfile and runs as it did", async (t) => {
  if (findPeer("apt-get") === undefined) return withoutPeer(t, '"apt-get" is not installed');
  if ((await requireUv(t)) === undefined) return;
  const { folder, slipway } = await preparePlace(t);
  await run([process.execPath, join(ROOT, "scripts/build.js")], { cwd: ROOT });
  await slipway("base", "debian", "--include", "python3", "--name", "pybase");
  const archive = join(folder, "python.tar");
  await slipway(
    "pack",
    await write(join(folder, "my-model"), FOLDER),
    "--base",
    "store:pybase",
    "-t",
    "store:python",
    "--output",
    `docker-archive=${archive}`,
  );
  for (const kind of ENGINES) {
    await t.test(kind, async (inner) => {
      const engine = await requireEngine(inner, kind);
      if (engine !== undefined) await runsAsItDid(inner, engine, await load(engine, archive));
    });
  }
});

async function runsAsItDid(t: TestContext, engine: Engine, image: string): Promise<void> {
  await t.test("with user, ports and environment of the old image", async () => {
    const config = JSON.parse(await engine.run("image", "inspect", image)) as readonly {
      readonly Config: {
        readonly User: string;
        readonly ExposedPorts: object;
        readonly Env: readonly string[];
      };
    }[];
    const { User, ExposedPorts, Env } = config[0]?.Config ?? {
      User: "",
      ExposedPorts: {},
      Env: [],
    };
    assert.equal(User.split(":")[0], "8888");
    assert.deepEqual(Object.keys(ExposedPorts).sort(), ["5000/tcp", "6000/tcp", "9000/tcp"]);
    for (const entry of [
      "MODEL_NAME=MyModel",
      "SERVICE_TYPE=MODEL",
      "FLASK_JSONIFY_PRETTYPRINT_REGULAR=false",
    ])
      assert.ok(Env.includes(entry), entry);
  });
  await t.test("as it is", () =>
    withContainer(
      {
        engine,
        image,
        env: { PREDICTIVE_UNIT_PARAMETERS: '[{"name":"greeting","value":"hi","type":"STRING"}]' },
      },
      async ({ http, metrics, name }) => {
        assert.equal(
          await answer(http, json("/api/v1.0/predictions", ROW)),
          '{"data":{"names":["t:0","t:1"],"ndarray":[[1,2]]},"meta":{"tags":{"greeting":"hi"}}}\n',
        );
        assert.equal((await send(metrics, get("/metrics"))).status, 200);
        await engine.run(
          "exec",
          name,
          "/opt/slipway/node",
          "/opt/slipway/server.mjs",
          "--healthcheck",
        );
      },
    ),
  );
  await t.test("over gRPC too, asked by Seldon's own stubs", async (inner) => {
    const wrapper = await pythonEnv(inner, { packages: WRAPPER_PACKAGES });
    if (wrapper === undefined) return;
    await withContainer(
      { engine, image, env: { MODEL_NAME: "MyModel", SERVICE_TYPE: "MODEL" } },
      async ({ http, grpc }) => {
        await using client = await startGrpcClient({
          python: wrapper.python,
          target: `127.0.0.1:${grpc}`,
        });
        const { answer: got } = await client.call({
          service: "Model",
          method: "Predict",
          type: "SeldonMessage",
          request: { data: { tensor: { shape: [1, 2], values: [1, 2] } } },
        });
        assert.deepEqual(got, {
          data: { names: ["t:0", "t:1"], tensor: { shape: [1, 2], values: [1, 2] } },
          meta: { tags: { greeting: "none" } },
        });
        assert.ok((await answer(http, json("/predict", ROW))).includes("[[1,2]]"));
      },
    );
  });
  await t.test("with another class and service type in the environment", () =>
    withContainer(
      { engine, image, env: { MODEL_NAME: "Other", SERVICE_TYPE: "TRANSFORMER" } },
      async ({ http }) => {
        assert.ok((await answer(http, json("/transform-input", ROW))).includes("[[2,4]]"));
      },
    ),
  );
  await t.test("with the documented command", () =>
    withContainer(
      {
        engine,
        image,
        command: [
          "/bin/sh",
          "-c",
          "exec seldon-core-microservice $MODEL_NAME --service-type $SERVICE_TYPE",
        ],
      },
      async ({ http }) => {
        assert.ok((await answer(http, json("/predict", ROW))).includes("[[1,2]]"));
      },
    ),
  );
  await t.test("with seldon-core-microservice as the program", () =>
    withContainer(
      {
        engine,
        image,
        options: ["--entrypoint", "seldon-core-microservice"],
        command: ["Other", "--service-type", "TRANSFORMER"],
      },
      async ({ http, name }) => {
        assert.ok((await answer(http, json("/transform-input", ROW))).includes("[[2,4]]"));
        await engine.run(
          "exec",
          name,
          "/opt/slipway/node",
          "/opt/slipway/server.mjs",
          "--healthcheck",
        );
      },
    ),
  );
}

test("a TypeScript class packs from its folder and runs", async (t) => {
  if (findPeer("apt-get") === undefined) return withoutPeer(t, '"apt-get" is not installed');
  const { folder, slipway } = await preparePlace(t);
  await run([process.execPath, join(ROOT, "scripts/build.js")], { cwd: ROOT });
  await slipway("base", "debian", "--name", "plain");
  const archive = join(folder, "js.tar");
  await slipway(
    "pack",
    await write(join(folder, "my-model"), JAVASCRIPT),
    "--base",
    "store:plain",
    "-t",
    "store:js",
    "--output",
    `docker-archive=${archive}`,
  );
  const engine = await requireEngine(t, "podman");
  if (engine === undefined) return;
  const image = await load(engine, archive);
  for (const command of [[], ["seldon-core-microservice", "MyModel", "--service-type", "MODEL"]]) {
    await withContainer({ engine, image, command }, async ({ http }) => {
      assert.equal(
        await answer(http, json("/predict", ROW)),
        '{"data":{"names":["t:0","t:1"],"ndarray":[[2,4]]},"meta":{}}\n',
      );
    });
  }
});
