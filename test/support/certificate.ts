import { readFile } from "node:fs/promises";
import type { TestContext } from "node:test";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import { requirePeer } from "./peers.ts";

export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** PEM. */
  readonly ca: string;
}

/** A certificate that signs itself, for 127.0.0.1, `registry.test` and more names, made by openssl; gone with the test. */
export async function makeCertificate(
  t: TestContext,
  names: readonly string[] = [],
): Promise<Certificate | undefined> {
  if ((await requirePeer(t, "openssl")) === undefined) return undefined;
  const folder = await createTempDir("certificate");
  t.after(() => folder[Symbol.asyncDispose]());
  const [certFile, keyFile] = [`${folder.path}/tls.crt`, `${folder.path}/tls.key`];
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
    "/CN=127.0.0.1",
    "-addext",
    `subjectAltName=${["IP:127.0.0.1", "DNS:registry.test", ...names.map((name) => `DNS:${name}`)].join(",")}`,
    "-keyout",
    keyFile,
    "-out",
    certFile,
  ]);
  return { certFile, keyFile, ca: await readFile(certFile, "utf8") };
}
