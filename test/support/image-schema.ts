import { access, cp, mkdir, readFile, rename } from "node:fs/promises";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import { peerBinFolder, requirePeer, withoutPeer } from "./peers.ts";

const SOURCE = join(import.meta.dirname, "image-schema");

/**
 * The validator that image-spec itself publishes, built once: `check KIND FILE …` with kinds manifest, index, config and layout.
 * Skips the test and gives `undefined` where there is no Go or its module cannot be had.
 */
export async function requireImageSchema(t: TestContext): Promise<string | undefined> {
  const version = createHash("sha256")
    .update(await readFile(join(SOURCE, "main.go")))
    .update(await readFile(join(SOURCE, "go.sum")))
    .digest("hex")
    .slice(0, 12);
  const binary = join(peerBinFolder(), `image-schema-${version}`);
  if (
    await access(binary).then(
      () => true,
      () => false,
    )
  )
    return binary;
  const go = await requirePeer(t, "go");
  if (go === undefined) return undefined;
  await using folder = await createTempDir("image-schema");
  await cp(SOURCE, folder.path, { recursive: true });
  try {
    await run([go, "build", "-buildvcs=false", "-o", "check", "."], {
      cwd: folder.path,
      timeoutMs: 300_000,
    });
  } catch (error) {
    return withoutPeer(t, `the image-spec validator cannot be built: ${(error as Error).message}`);
  }
  await mkdir(dirname(binary), { recursive: true });
  const moved = join(dirname(binary), `.image-schema-${process.pid}`);
  await cp(join(folder.path, "check"), moved);
  await rename(moved, binary);
  return binary;
}
