import assert from "node:assert/strict";
import { access, mkdir, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { ProcessError } from "../../src/errors/index.ts";
import { createTempDir, run } from "../../src/internal/index.ts";
import { requirePeer } from "../support/peers.ts";
import { startRegistry } from "../support/registry-fixture.ts";

// The upstream suite against our registry. It is a Go module of its own; where the module proxy does not have it, a
// binary built elsewhere (`go test -c` in the conformance folder of distribution-spec) can be named by
// SLIPWAY_OCI_CONFORMANCE. Our own reading of the same statements is in distribution.test.ts and always runs.

const MODULE = "github.com/opencontainers/distribution-spec/conformance";
const VERSIONS = ["v1.1.1", "v1.1.0", "main"] as const;

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
  assert.ok((await readdir(results.path)).length > 0, "the suite wrote a report");
});

/** Builds the suite once, or skips with the reason. */
async function buildSuite(t: TestContext): Promise<string | undefined> {
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "slipway-test");
  const binary = join(cache, "bin", "oci-conformance");
  if (await access(binary).then(() => true, () => false)) return binary;
  const go = await requirePeer(t, "go");
  if (go === undefined) return undefined;
  const refusals: string[] = [];
  for (const version of VERSIONS) {
    try {
      await compile(go, version, binary);
      return binary;
    } catch (error) {
      if (!(error instanceof ProcessError)) throw error;
      refusals.push(`${version}: ${error.stderrTail.trim().split("\n").at(-1) ?? error.message}`);
    }
  }
  // Not even with SLIPWAY_REQUIRE_PEERS=1 is this a failure: where the proxy refuses the module nothing here can help.
  t.skip(`the suite cannot be built: ${refusals[0] ?? "no version"}`);
  return undefined;
}

async function compile(go: string, version: string, binary: string): Promise<void> {
  await using folder = await createTempDir("conformance-build");
  const env = { ...process.env, GOFLAGS: "-mod=mod -buildvcs=false", GOWORK: "off" };
  await run([go, "mod", "init", "suite"], { cwd: folder.path, env });
  await run([go, "get", `${MODULE}@${version}`], { cwd: folder.path, env, timeoutMs: 120_000 });
  const built = join(folder.path, "suite.test");
  await run([go, "test", "-c", "-o", built, MODULE], { cwd: folder.path, env, timeoutMs: 300_000 });
  await mkdir(join(binary, ".."), { recursive: true });
  await rename(built, binary).catch(async () => {
    await run(["cp", built, binary]);
    await rm(built);
  });
}
