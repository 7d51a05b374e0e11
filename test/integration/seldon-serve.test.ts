import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { pythonEnv } from "../support/python-env.ts";
import { CLASS_PACKAGES, SELDON_MODELS } from "../support/seldon/servers.ts";
import { json, send } from "../support/seldon/wire.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const PORTS = ["--http-port", "0", "--grpc-port", "0", "--metrics-port", "0"];

interface Started {
  readonly line: string;
  readonly stop: () => Promise<number | null>;
}

/** Runs the command line until a line says what `isReady` looks for. */
async function startSlipway(
  args: readonly string[],
  about: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly isReady: (line: string) => boolean;
  },
): Promise<Started> {
  const child = spawn(process.execPath, [join(ROOT, "bin/slipway.js"), ...args], {
    cwd: about.cwd,
    env: { ...process.env, ...about.env, SLIPWAY_FROM_SOURCE: "1", SLIPWAY_DRAIN_DELAY_MS: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  const { promise, resolve: found, reject } = Promise.withResolvers<string>();
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      if (about.isReady(line)) found(line);
    });
  }
  void exited.then(() => reject(new Error(`it ended: ${lines.join("\n")}`)));
  const stop = async (): Promise<number | null> => {
    child.kill("SIGTERM");
    await exited;
    return child.exitCode;
  };
  return { line: await promise, stop };
}

async function python(t: TestContext): Promise<string | undefined> {
  return (await pythonEnv(t, { packages: CLASS_PACKAGES }))?.python;
}

test("slipway serve takes the wrapper's flags and variables, and those of the folder's Dockerfile", async (t) => {
  const interpreter = await python(t);
  if (interpreter === undefined) return;
  const folder = await mkdtemp(join(tmpdir(), "slipway-seldon-serve-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await cp(join(SELDON_MODELS, "Args.py"), join(folder, "Args.py"));
  await writeFile(
    join(folder, "Dockerfile"),
    "FROM python:3.7-slim\nENV MODEL_NAME Args\nENV SERVICE_TYPE=MODEL\nENV PREDICTIVE_UNIT_ID=unit PREDICTIVE_UNIT_IMAGE=org/image:1\n",
  );
  const args = [
    "serve",
    ".",
    ...PORTS,
    "--json",
    "--parameters",
    '[{"name":"i","value":"5","type":"INT"}]',
    "--env",
    "FLASK_JSON_SORT_KEYS=false",
  ];
  const { line, stop } = await startSlipway(args, {
    cwd: folder,
    env: { SLIPWAY_PYTHON: interpreter },
    isReady: (text) => text.startsWith("{") && text.includes('"url"'),
  });
  const port = Number(/"http":(\d+)/.exec(line)?.[1]);
  const answer = await send(
    port,
    json("/predict", { data: { names: ["parameters"], ndarray: [1] } }),
  );
  assert.equal(await stop(), 0);
  assert.match(answer.body, /"i":\["int","5"\]/);
  assert.match(answer.body, /"meta":\{"requestPath":\{"unit":"org\/image:1"\}\}/);
});

test("slipway seldon-core-microservice serves a class of the working folder as the wrapper's program does", async (t) => {
  const interpreter = await python(t);
  if (interpreter === undefined) return;
  const args = [
    "seldon-core-microservice",
    "Components.Router",
    "--service-type",
    "ROUTER",
    ...PORTS,
  ];
  const { line, stop } = await startSlipway(args, {
    cwd: SELDON_MODELS,
    env: { SLIPWAY_PYTHON: interpreter },
    isReady: (text) => text.includes('"msg":"ready"'),
  });
  const port = Number(/"http":(\d+)/.exec(line)?.[1]);
  const answer = await send(port, json("/route", { data: { names: ["three"], ndarray: [1] } }));
  assert.equal(await stop(), 0);
  assert.equal(answer.body, '{"data":{"names":["t:0"],"ndarray":[[3]]},"meta":{}}\n');
});
