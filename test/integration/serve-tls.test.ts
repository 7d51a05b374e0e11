import assert from "node:assert/strict";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { test, type TestContext } from "node:test";
import { connect } from "node:tls";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import { readPod } from "../../src/serving/server/pod.ts";
import { spawnEntry } from "./serve-support.ts";
import { requirePeer } from "../support/peers.ts";
import { pythonEnv } from "../support/python-env.ts";
import { startGrpcClient, startOurGrpc } from "../support/seldon/grpc.ts";
import { CLASS_PACKAGES, WRAPPER_PACKAGES } from "../support/seldon/servers.ts";

const CALL = {
  service: "Model",
  method: "Predict",
  type: "SeldonMessage",
  request: { strData: "sealed" },
} as const;

/** A certificate for 127.0.0.1 and one for a client, which both sign themselves; gone with the test. */
async function makeCertificates(t: TestContext): Promise<string | undefined> {
  if ((await requirePeer(t, "openssl")) === undefined) return undefined;
  const folder = await createTempDir("certificates");
  t.after(() => folder[Symbol.asyncDispose]());
  for (const name of ["tls", "client"]) {
    const out = ["-keyout", `${folder.path}/${name}.key`, "-out", `${folder.path}/${name}.crt`];
    await run([
      "openssl",
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-days",
      "2",
      "-subj",
      `/CN=${name}`,
      "-addext",
      "subjectAltName=IP:127.0.0.1",
      ...out,
    ]);
  }
  return folder.path;
}

/** Asks over REST; the text of the error when there is no answer. */
async function ask(
  port: number,
  tls: { readonly ca: string; readonly cert?: string; readonly key?: string },
): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const sent = request(
    { host: "127.0.0.1", port, path: "/health/ping", agent: false, ...tls },
    (response) => {
      response
        .setEncoding("utf8")
        .on("data", (text: string) => resolve(text))
        .on("error", (error) => resolve(error.message));
    },
  );
  sent.on("error", (error) => resolve(error.message));
  sent.end();
  return promise;
}

for (const isMutual of [false, true]) {
  test(
    isMutual
      ? "with an authority, clients must show its certificate, over REST and gRPC"
      : "REST and gRPC are sealed with the pod's certificate",
    async (t) => {
      const [wrapper, classes] = [
        await pythonEnv(t, { packages: WRAPPER_PACKAGES }),
        await pythonEnv(t, { packages: CLASS_PACKAGES }),
      ];
      const folder = await makeCertificates(t);
      if (wrapper === undefined || classes === undefined || folder === undefined) return;
      const pod = await readPod({
        SELDON_CERT_MOUNT_PATH: folder,
        ...(isMutual && { SELDON_CERT_CA_FILE_NAME: "client.crt" }),
      });
      await using server = await startOurGrpc(
        { name: "Echo", options: pod.options },
        classes.python,
      );
      const target = `127.0.0.1:${server.grpc}`;
      const [ca, cert, key] = [`${folder}/tls.crt`, `${folder}/client.crt`, `${folder}/client.key`];
      const texts = {
        ca: await readFile(ca, "utf8"),
        cert: await readFile(cert, "utf8"),
        key: await readFile(key, "utf8"),
      };
      await using client = await startGrpcClient({
        python: wrapper.python,
        target,
        tls: isMutual ? { ca, cert, key } : { ca },
      });
      assert.deepEqual((await client.call(CALL)).answer, { meta: {}, strData: "sealed" });
      assert.equal(await ask(server.http, isMutual ? texts : { ca: texts.ca }), "pong");
      assert.match(await ask(server.http, { ca: texts.cert }), /self-signed|certificate/);
      if (isMutual) assert.notEqual(await ask(server.http, { ca: texts.ca }), "pong");
    },
  );
}

/** The fingerprint of the certificate that a port shows. */
function fingerprint(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

test("SIGHUP loads the model anew and takes exchanged keys and a renewed certificate, over REST and gRPC, and a broken one changes nothing", async (t) => {
  const made = await makeCertificates(t);
  if (made === undefined) return;
  const folder = `${made}/mounted`;
  await mkdir(folder);
  const mount = async (name: string): Promise<void> => {
    for (const kind of ["crt", "key"])
      await copyFile(`${made}/${name}.${kind}`, `${folder}/tls.${kind}`);
  };
  await mount("tls");
  const keys = `${made}/keys`;
  await writeFile(keys, "ann ann-has-a-long-key");
  await using entry = await spawnEntry(t, {
    source: "class Model:\n    def predict(self, X, names):\n        return X\n",
    env: {
      SELDON_CERT_MOUNT_PATH: folder,
      GRPC_WORKERS: "1",
      SLIPWAY_API_KEYS_FILE: keys,
    },
    args: ["--grpc-workers", "1", "--grpc-port", "0"],
  });
  if (entry === undefined) return;
  const { ports } = (await entry.line(({ msg }) => msg === "ready")) as unknown as {
    ports: { http: number; grpc: number };
  };
  const shown = (): Promise<string[]> =>
    Promise.all([fingerprint(ports.http), fingerprint(ports.grpc)]);
  const before = await shown();
  await mount("client");
  await writeFile(keys, "bob bob-has-a-long-key");
  entry.child.kill("SIGHUP");
  await entry.line(({ msg }) => msg === "the TLS certificate was renewed");
  await entry.line(({ msg }) => msg === "the API keys were exchanged");
  await entry.line(({ msg }) => msg === "reloaded");
  const after = await shown();
  assert.equal(new Set([...before, ...after]).size, 2);
  assert.notEqual(after[0], before[0]);
  await writeFile(`${folder}/tls.key`, await readFile(`${made}/tls.key`));
  entry.child.kill("SIGHUP");
  await entry.line(({ msg }) =>
    msg.startsWith("renew the TLS certificate: the one before goes on"),
  );
  assert.deepEqual(await shown(), after);
});
