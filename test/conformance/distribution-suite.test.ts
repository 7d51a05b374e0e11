import assert from "node:assert/strict";
import { access, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { ProcessError } from "../../src/ground/errors/index.ts";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import { requirePeer } from "../support/peers.ts";
import { startRegistry } from "../support/registry-fixture.ts";

// The upstream suite against our registry. It is a Go module of its own, without tags: versions are named by commit. Where the
// module proxy does not have it, a binary built elsewhere (`go test -c` in the conformance folder of distribution-spec) can be
// named by SLIPWAY_OCI_CONFORMANCE. Our own reading of the same statements is in distribution.test.ts and always runs.

const MODULE = "github.com/opencontainers/distribution-spec/conformance";

/** The suite as of November 2023, shortly before 1.1, which the module proxy has; the checksum database does not, so the sums are here. */
const VERSION = "v0.0.0-20231101194043-f2182352d4cc";
const SUMS = [
  `${MODULE} ${VERSION} h1:jL+CgYEEZluGb08ZcLpEyhn389kNMlwrWOHaIqXazq0=`,
  `${MODULE} ${VERSION}/go.mod h1:odnkI+gfnNSdq8NaG/nKvENDEWkXAjjbgp8GKMllVSI=`,
];

/** Of 79 statements some need what a registry may lack, such as uploads that a proxy limits. */
const LEAST_RUN = 70;

test("the upstream conformance suite passes: pull, push, discovery, management", async (t) => {
  const binary = process.env["SLIPWAY_OCI_CONFORMANCE"] ?? (await buildSuite(t));
  if (binary === undefined) return;
  await using registry = await startRegistry();
  await using results = await createTempDir("conformance");
  const { host, port, url } = registry.server;
  await run([binary], {
    cwd: results.path,
    timeoutMs: 300_000,
    env: {
      PATH: process.env["PATH"],
      HOME: results.path,
      // Releases up to 1.1
      OCI_ROOT_URL: url,
      OCI_NAMESPACE: "conformance/one",
      OCI_CROSSMOUNT_NAMESPACE: "conformance/two",
      OCI_TEST_PULL: "1",
      OCI_TEST_PUSH: "1",
      OCI_TEST_CONTENT_DISCOVERY: "1",
      OCI_TEST_CONTENT_MANAGEMENT: "1",
      OCI_DELETE_MANIFEST_BEFORE_BLOBS: "1",
      OCI_REPORT_DIR: results.path,
      // Later ones
      OCI_REGISTRY: `${host}:${port}`,
      OCI_TLS: "disabled",
      OCI_REPO1: "conformance/one",
      OCI_REPO2: "conformance/two",
      OCI_VERSION: "1.1",
    },
  });
  const report = await readFile(join(results.path, "junit.xml"), "utf8");
  const countOf = (name: string): number =>
    Number(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`).exec(report)?.[1]);
  assert.ok(
    countOf("tests") - countOf("skipped") >= LEAST_RUN,
    "the suite ran what it was asked to",
  );
});

/** Builds the suite once, or skips with the reason. */
async function buildSuite(t: TestContext): Promise<string | undefined> {
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "slipway-test");
  const binary = join(cache, "bin", "oci-conformance");
  if (
    await access(binary).then(
      () => true,
      () => false,
    )
  )
    return binary;
  const go = await requirePeer(t, "go");
  if (go === undefined) return undefined;
  try {
    await compile(go, binary);
    return binary;
  } catch (error) {
    if (!(error instanceof ProcessError)) throw error;
    // Not even with SLIPWAY_REQUIRE_PEERS=1 is this a failure: where the proxy refuses the module nothing here can help.
    const why = error.stderrTail.trim().split("\n").at(-1) ?? error.message;
    t.skip(
      `Go cannot get the suite (${why}); build it elsewhere and name it with SLIPWAY_OCI_CONFORMANCE, or see distribution.test.ts for our own table`,
    );
    return undefined;
  }
}

async function compile(go: string, binary: string): Promise<void> {
  await using folder = await createTempDir("conformance-build");
  const env = {
    ...process.env,
    GOFLAGS: "-mod=mod -buildvcs=false",
    GOWORK: "off",
    GONOSUMDB: MODULE,
  };
  await run([go, "mod", "init", "suite"], { cwd: folder.path, env });
  await writeFile(join(folder.path, "go.sum"), `${SUMS.join("\n")}\n`);
  await run([go, "get", `${MODULE}@${VERSION}`], { cwd: folder.path, env, timeoutMs: 120_000 });
  const built = join(folder.path, "suite.test");
  await run([go, "test", "-c", "-o", built, MODULE], { cwd: folder.path, env, timeoutMs: 300_000 });
  await mkdir(join(binary, ".."), { recursive: true });
  await rename(built, binary).catch(async () => {
    await run(["cp", built, binary]);
    await rm(built);
  });
}
