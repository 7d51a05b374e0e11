import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTempDir } from "../../ground/process/index.ts";
import type { ModelDescription } from "../../models/description/index.ts";
import { readPod } from "./pod.ts";
import { parseAnnotations } from "./seldon/annotations.ts";
import { parseSeldonLaunch } from "./seldon/launch.ts";

const PEM = "-----BEGIN CERTIFICATE-----\n";
const described: ModelDescription = {
  schemaVersion: 1,
  name: "m",
  kind: "class",
  contract: "seldon",
  service: "MODEL",
  ports: { http: 0 },
  server: { workers: 2 },
};

test("annotations are read as the downward API writes them, and what makes no sense is passed over", () => {
  assert.deepEqual(
    parseAnnotations(
      'kubernetes.io/config.seen="2020"\nseldon.io/grpc-max-message-size="10000000"\nseldon.io/rest-timeout="1500"\n',
    ),
    { grpcMaxMessageBytes: 10_000_000, restTimeoutMs: 1500 },
  );
  assert.deepEqual(
    parseAnnotations('seldon.io/grpc-max-message-size="-1"\nseldon.io/rest-timeout=5\n=\n"'),
    {},
  );
});

test("certificates and annotations are found under the root, by the names of Seldon's executor", async () => {
  await using folder = await createTempDir("pod");
  await mkdir(join(folder.path, "etc/podinfo"), { recursive: true });
  await mkdir(join(folder.path, "certs"));
  await writeFile(
    join(folder.path, "etc/podinfo/annotations"),
    'seldon.io/grpc-max-message-size="99"\nseldon.io/rest-timeout="1000"\n',
  );
  for (const name of ["tls.crt", "own.key", "ca.crt"])
    await writeFile(join(folder.path, "certs", name), PEM + name);
  const env = {
    SLIPWAY_ROOT: folder.path,
    SELDON_CERT_MOUNT_PATH: "/certs",
    SELDON_CERT_KEY_FILE_NAME: "own.key",
  };
  const pod = await readPod(env);
  assert.deepEqual(pod.options, {
    tls: { cert: `${PEM}tls.crt`, key: `${PEM}own.key` },
    grpcMaxMessageBytes: 99,
  });
  assert.deepEqual(pod.applyTo(described).server, { workers: 2, timeoutMs: 1000 });
  assert.equal(
    (await readPod({ ...env, SELDON_CERT_CA_FILE_NAME: "ca.crt" })).options.tls?.ca,
    `${PEM}ca.crt`,
  );
});

test("without a folder there is no TLS, and a file that is missing or no PEM is named", async () => {
  await using folder = await createTempDir("pod");
  assert.deepEqual((await readPod({ SLIPWAY_ROOT: folder.path })).options, {
    tls: undefined,
    grpcMaxMessageBytes: undefined,
  });
  assert.equal((await readPod({ SLIPWAY_ROOT: folder.path })).applyTo(described), described);
  await assert.rejects(
    readPod({ SELDON_CERT_MOUNT_PATH: folder.path }),
    /read the TLS file ".*tls.crt"/,
  );
  for (const name of ["tls.crt", "tls.key"]) await writeFile(join(folder.path, name), "DER");
  await assert.rejects(readPod({ SELDON_CERT_MOUNT_PATH: folder.path }), /not PEM/);
});

test("--api-type REST leaves gRPC out; the variable of old images is named and changes nothing", () => {
  assert.equal(parseSeldonLaunch(["M", "--api-type", "REST"], {}).hasGrpc, false);
  for (const type of ["GRPC", "both"])
    assert.equal(parseSeldonLaunch(["M", "--api-type", type], {}).hasGrpc, true);
  const launch = parseSeldonLaunch(["M"], { API_TYPE: "REST" });
  assert.equal(launch.hasGrpc, true);
  assert.match(launch.ignored.join(), /API_TYPE/);
  assert.throws(() => parseSeldonLaunch(["M", "--api-type", "SOAP"], {}), /SOAP/);
});
