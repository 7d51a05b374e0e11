import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Digest, Reference } from "../oci/index.ts";

/** Where everything of a store lies. See the README of this module for the picture. */
export interface StorePaths {
  readonly dataDir: string;
  readonly cacheDir: string;
  readonly layoutFile: string;
  readonly indexFile: string;
  readonly blobs: string;
  readonly plans: string;
  readonly tags: string;
  /** One folder per writing process, for unfinished files. */
  readonly temporary: string;
}

/** Lays the folders of a store out below its two roots. Touches no disk. */
export function storePathsOf(roots: {
  readonly dataDir: string;
  readonly cacheDir: string;
}): StorePaths {
  const { dataDir, cacheDir } = roots;
  return {
    dataDir,
    cacheDir,
    layoutFile: join(dataDir, "oci-layout"),
    indexFile: join(dataDir, "index.json"),
    blobs: join(dataDir, "blobs"),
    plans: join(dataDir, "plans"),
    tags: join(dataDir, "tags"),
    temporary: join(dataDir, "tmp"),
  };
}

/** Where a blob lies when it is a real file. */
export function blobFileOf(paths: StorePaths, digest: Digest): string {
  const [algorithm, hex] = digest.split(":") as [string, string];
  return join(paths.blobs, algorithm, hex);
}

/** Where the recipe of a blob lies. */
export function planFileOf(paths: StorePaths, digest: Digest): string {
  const [algorithm, hex] = digest.split(":") as [string, string];
  return join(paths.plans, algorithm, `${hex}.json`);
}

/** The folder that holds the tags of one repository. Hashed: names may be longer than file names, or differ by case only. */
export function repositoryFolderOf(
  paths: StorePaths,
  repository: Pick<Reference, "registry" | "repository">,
): string {
  return join(paths.tags, shortHash(`${repository.registry}/${repository.repository}`));
}

/** The file of one tag, or of one digest that a repository holds without a tag. */
export function tagFileOf(paths: StorePaths, reference: Reference): string {
  return join(
    repositoryFolderOf(paths, reference),
    `${shortHash(reference.tag ?? reference.digest ?? DEFAULT_TAG)}.json`,
  );
}

/** The tag of a reference that names neither tag nor digest. */
export const DEFAULT_TAG = "latest";

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 40);
}
