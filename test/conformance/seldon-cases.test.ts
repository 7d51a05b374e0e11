import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import { pythonEnv } from "../support/python-env.ts";
import { CLASS_PACKAGES } from "../support/seldon/servers.ts";

// Other recorded cases of the wrapper, with a runner of their own that starts a server for each class (40 s and more); the table of
// seldon-recorded.test.ts covers the same ground.
const ROOT = resolve(import.meta.dirname, "../..");

test("recorded cases from elsewhere all pass", async (t) => {
  const folder = process.env["SLIPWAY_SELDON_CASES"];
  if (folder === undefined)
    return t.skip("SLIPWAY_SELDON_CASES names no folder with run_seldon_cases.py");
  const runner = resolve(folder, "run_seldon_cases.py");
  if (!existsSync(runner)) return t.skip(`there is no "${runner}"`);
  const environment = await pythonEnv(t, { packages: CLASS_PACKAGES });
  if (environment === undefined) return;
  const server = `${process.execPath} ${join(ROOT, "src/serving/server/main.ts")} seldon-core-microservice {model_name} --service-type {service_type} --http-port {http_port} --grpc-port {grpc_port} --metrics-port {metrics_port}`;
  const command = `env SELDON_STRICT_COMPAT=1 SLIPWAY_DRAIN_DELAY_MS=0 SLIPWAY_PYTHON=${environment.python} ${server}`;
  const { stdout } = await run([environment.python, runner, "--base-cmd", command], {
    signal: t.signal,
    allowFailure: true,
  });
  assert.match(stdout.toString(), /^\d{2,} passed, 0 failed\n$/, stdout.toString().slice(-4000));
});
