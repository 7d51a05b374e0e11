import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import { requirePeer, withoutPeer } from "./peers.ts";

/** Folder of a Go module's sources, fetched once by Go itself. Skips the test where there is no Go or the module cannot be had. */
export async function requireGoModule(t: TestContext, module: string): Promise<string | undefined> {
  const go = await requirePeer(t, "go");
  if (go === undefined) return undefined;
  await using folder = await createTempDir("slipway-go");
  await mkdir(folder.path, { recursive: true });
  await writeFile(join(folder.path, "go.mod"), "module none\n\ngo 1.22\n");
  const { stdout } = await run([go, "mod", "download", "-json", module], {
    cwd: folder.path,
    timeoutMs: 300_000,
    allowFailure: true,
  });
  const answer = JSON.parse(stdout.toString("utf8") || "{}") as {
    readonly Dir?: string;
    readonly Error?: string;
  };
  return (
    answer.Dir ??
    withoutPeer(t, `the Go module ${module} cannot be had: ${answer.Error ?? "no answer"}`)
  );
}
