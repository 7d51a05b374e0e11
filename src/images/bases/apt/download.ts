import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { ContentError } from "../../../ground/errors/index.ts";
import { type CallOptions } from "../../../ground/bytes/index.ts";
import { createTempDir, noFile } from "../../../ground/process/index.ts";
import type { DebianPackage } from "../contracts.ts";
import type { AptHost } from "./host.ts";
import type { IndexFolder } from "./index-folder.ts";

export interface DownloadRequest extends CallOptions {
  readonly cacheDir: string;
  readonly host: AptHost;
  readonly packages: readonly DebianPackage[];
}

/** Where the cache keeps a `.deb`. */
export function cachedPackagePath(cacheDir: string, { sha256 }: DebianPackage): string {
  return join(cacheDir, "debian", "packages", sha256.slice(0, 2), `${sha256}.deb`);
}

/** Those of the packages that are not in the cache. */
export async function missingPackages({
  cacheDir,
  packages,
}: Omit<DownloadRequest, "host">): Promise<readonly DebianPackage[]> {
  const present = await Promise.all(
    packages.map(
      async (item) =>
        (await stat(cachedPackagePath(cacheDir, item)).catch(noFile))?.size === item.size,
    ),
  );
  return packages.filter((_, index) => present[index] !== true);
}

/**
 * Fetches what is missing with apt's own fetcher, which compares hashes; every file is hashed once more before it
 * takes its name in the cache.
 * @throws ProcessError as apt failed; ContentError `DIGEST_MISMATCH`.
 */
export async function downloadPackages(
  folder: IndexFolder,
  request: DownloadRequest,
): Promise<void> {
  const missing = await missingPackages(request);
  if (missing.length === 0) return;
  await using temporary = await createTempDir("fetch", join(request.cacheDir, "debian"));
  const fetched = missing.map((item) => ({
    item,
    path: join(temporary.path, `${item.sha256}.deb`),
  }));
  const args = fetched.flatMap(({ item, path }) => [item.url, path, `SHA256:${item.sha256}`]);
  await folder.apt([request.host.helper, "download-file", ...args], { signal: request.signal });
  for (const { item, path } of fetched) {
    await checkHash(path, item);
    const target = cachedPackagePath(request.cacheDir, item);
    await mkdir(join(target, ".."), { recursive: true });
    await rename(path, target);
  }
}

async function checkHash(path: string, { name, sha256 }: DebianPackage): Promise<void> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }))
    hash.update(chunk as Uint8Array);
  const actual = hash.digest("hex");
  if (actual !== sha256) {
    throw new ContentError(
      "DIGEST_MISMATCH",
      `download the package "${name}": it is not what the signed index says`,
      { expected: `sha256:${sha256}`, actual: `sha256:${actual}` },
    );
  }
}
