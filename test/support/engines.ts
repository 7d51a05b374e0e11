import { join } from "node:path";
import type { TestContext } from "node:test";
import type { EngineOptions } from "../../src/images/engine/index.ts";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import { requirePeer } from "./peers.ts";

/** podman with storage of the test's own. */
export interface PrivatePodman {
  /** For `createEngine`. */
  readonly engine: EngineOptions;
  /** Arguments that send another program of the family, such as buildah, to the same storage. */
  readonly storageArgs: readonly string[];
  /** Runs podman. @returns standard output. */
  podman(...args: readonly string[]): Promise<string>;
}

/**
 * podman with its images and containers in a folder that goes away with the test. Skips the test and gives `undefined`
 * where podman is missing.
 */
export async function requirePodman(t: TestContext): Promise<PrivatePodman | undefined> {
  const program = await requirePeer(t, "podman");
  if (program === undefined) return undefined;
  const folder = await createTempDir("slipway-podman");
  const storageArgs = ["--root", join(folder.path, "root"), "--runroot", join(folder.path, "run")];
  const podman = async (...args: readonly string[]): Promise<string> =>
    (await run([program, ...storageArgs, ...args])).stdout.toString("utf8");
  t.after(async () => {
    await run([program, ...storageArgs, "rm", "--all", "--force", "--time", "0"], {
      allowFailure: true,
    });
    // The storage driver keeps mounts below the folder; only podman takes them away.
    await run([program, ...storageArgs, "system", "reset", "--force"], { allowFailure: true });
    await folder[Symbol.asyncDispose]();
  });
  return { engine: { kind: "podman", program, globalArgs: storageArgs }, storageArgs, podman };
}
