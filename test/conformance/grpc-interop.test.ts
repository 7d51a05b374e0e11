import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import { askByGrpcJs } from "../support/grpc-interop/grpc-js-client.ts";
import { startInteropServer } from "../support/grpc-interop/service.ts";
import { pythonEnv } from "../support/python-env.ts";

/** After gRPC's own interop cases. @see grpc, doc/interop-test-descriptions.md */
const WANTED = {
  empty: 0,
  large: 314_159,
  message: [2, "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1f608}\t\n"],
  codes: Array.from({ length: 16 }, (_, index) => index + 1),
  metadata: `a value ${Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString("base64")}`,
  trailers: "a reason",
  deadline: 4,
  cancelled: 1,
  "unknown method": 12,
  "unknown service": 12,
  "too large": 8,
  gzip: 100_000,
  parallel: true,
  "server streams": true,
  "client streams": "100",
  "both stream": ["a", "b", "c"],
  health: "0801",
};

test("gRPC's client for Node gets what the interop cases ask for", async (t) => {
  const { server, abandoned } = await startInteropServer();
  t.after(() => server.cut());
  const answers = await askByGrpcJs(`127.0.0.1:${server.port}`);
  assert.deepEqual(comparable(answers), comparable(WANTED));
  await abandoned(1);
});

test("gRPC's client for Python gets what the interop cases ask for", async (t) => {
  const environment = await pythonEnv(t, { packages: ["grpcio==1.76.0"] });
  if (environment === undefined) return;
  const { server, abandoned } = await startInteropServer();
  t.after(() => server.cut());
  const script = join(import.meta.dirname, "../support/grpc-interop/client.py");
  const { stdout } = await run([environment.python, script, `127.0.0.1:${server.port}`], {
    timeoutMs: 120_000,
  });
  const answers = JSON.parse(stdout.toString()) as Readonly<Record<string, unknown>>;
  assert.deepEqual(comparable(answers), comparable(WANTED));
  await abandoned(1);
});

/** Codes in order, and base64 without its padding, which clients may leave out. */
function comparable(answers: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { codes, metadata } = answers;
  return {
    ...answers,
    codes: Array.isArray(codes) ? codes.toSorted((one, other) => one - other) : codes,
    metadata: typeof metadata === "string" ? metadata.replace(/=+$/, "") : metadata,
  };
}
