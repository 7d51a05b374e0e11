import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImageConfig } from "../../images/oci/index.ts";
import { configChecks, layersCheck } from "./check-image.ts";
import { nodeCheck } from "./check-machine.ts";
import type { Check } from "./checks.ts";

function configWith(config: ImageConfig["config"]): ImageConfig {
  return {
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [] },
    ...(config === undefined ? {} : { config }),
  };
}

const statuses = (checks: readonly Check[]): Readonly<Record<string, string>> =>
  Object.fromEntries(checks.map(({ name, status }) => [name, status]));

test("doctor tells an image that runs well from one that does not", () => {
  const good = configWith({
    User: "8888:0",
    Entrypoint: ["/opt/slipway/node"],
    ExposedPorts: { "9000/tcp": {} },
    Env: ["PATH=/bin"],
  });
  assert.deepEqual(statuses(configChecks(good)), {
    user: "ok",
    entrypoint: "ok",
    ports: "ok",
    model: "ok",
    environment: "ok",
  });
  const bad = configWith({
    User: "root:root",
    Entrypoint: ["/bin/sh", "-c", "x"],
    Env: ["API_KEY=hunter2"],
  });
  assert.deepEqual(statuses(configChecks(bad)), {
    user: "warn",
    entrypoint: "warn",
    ports: "warn",
    model: "ok",
    environment: "warn",
  });
  assert.ok(!JSON.stringify(configChecks(bad)).includes("hunter2"));
  assert.deepEqual(
    [layersCheck(3), layersCheck(127), layersCheck(128)].map(({ status }) => status),
    ["ok", "warn", "fail"],
  );
  assert.deepEqual(
    [nodeCheck("24.1.0"), nodeCheck("22.19.0"), nodeCheck("22.18.0"), nodeCheck("20.0.0")].map(
      ({ status }) => status,
    ),
    ["ok", "ok", "fail", "fail"],
  );
});
