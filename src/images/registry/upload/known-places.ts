import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isToolError } from "../../../ground/errors/index.ts";
import { writeFileAtomic } from "../../../ground/process/index.ts";
import { isDigest, isRepository, parseManifest, type Digest } from "../../oci/index.ts";

/**
 * What is believed of which repositories of one registry have which blobs. Only ever a hint: a mount proves it, and one that fails
 * costs a request.
 */
export interface KnownPlaces {
  /** A registry that has a manifest in a repository has there what the manifest needs. Anything but an image's manifest is passed over. */
  noteManifest(repository: string, manifest: Uint8Array): void;
  /** Repositories that had the blob, the one seen last first. */
  repositoriesOf(digest: Digest): Promise<readonly string[]>;
  /** It was not there after all. */
  forget(digest: Digest, repository: string): void;
  /** Writes down what is new, for later processes. Best effort. */
  save(): Promise<void>;
}

export interface KnownPlacesOptions {
  readonly registry: string;
  /** Default: nothing outlives this process. */
  readonly stateDir?: string | undefined;
}

type Places = Map<Digest, readonly string[]>;

/** The oldest blobs are forgotten beyond this; about 300 KiB of state. */
const MAX_BLOBS = 2000;
const MAX_REPOSITORIES = 3;
/** Sending less than this costs no more than asking for a mount. */
const LEAST_BYTES = 1024;
const MAX_FILE_BYTES = 4 * 2 ** 20;

/** Nothing is read before it is asked for. */
export function createKnownPlaces({ registry, stateDir }: KnownPlacesOptions): KnownPlaces {
  const path =
    stateDir === undefined
      ? undefined
      : join(stateDir, "mounts", `${encodeURIComponent(registry)}.json`);
  const noted: Places = new Map();
  const forgotten = new Set<string>();
  let earlier: Promise<Places> | undefined;
  return {
    noteManifest(repository, manifest) {
      for (const digest of layersOf(manifest)) addPlace(noted, digest, repository);
    },
    async repositoriesOf(digest) {
      earlier ??= readPlaces(path);
      const all = [...(noted.get(digest) ?? []), ...((await earlier).get(digest) ?? [])];
      return [...new Set(all)].filter((repository) => !forgotten.has(`${repository}@${digest}`));
    },
    forget(digest, repository) {
      forgotten.add(`${repository}@${digest}`);
      noted.set(
        digest,
        (noted.get(digest) ?? []).filter((known) => known !== repository),
      );
    },
    async save() {
      if (path === undefined || noted.size === 0) return;
      const merged = await readPlaces(path);
      const before = printPlaces(merged);
      for (const [digest, repositories] of noted)
        for (const repository of repositories.toReversed()) addPlace(merged, digest, repository);
      for (const place of forgotten) removePlace(merged, place);
      const after = printPlaces(merged);
      // A memory that cannot be written costs a guess next time.
      if (after !== before)
        await writeFileAtomic(path, after, { mode: 0o600 }).catch(() => undefined);
    },
  };
}

/** Puts the repository first, and the blob at the end, where the young ones are. What is known in that order stays as it is. */
function addPlace(places: Places, digest: Digest, repository: string): void {
  const known = places.get(digest) ?? [];
  if (known[0] === repository) return;
  places.delete(digest);
  places.set(
    digest,
    [repository, ...known.filter((other) => other !== repository)].slice(0, MAX_REPOSITORIES),
  );
}

function removePlace(places: Places, place: string): void {
  const at = place.indexOf("@");
  const digest = place.slice(at + 1);
  const left = isDigest(digest)
    ? places.get(digest)?.filter((repository) => repository !== place.slice(0, at))
    : undefined;
  if (left === undefined || !isDigest(digest)) return;
  if (left.length === 0) places.delete(digest);
  else places.set(digest, left);
}

function layersOf(manifest: Uint8Array): readonly Digest[] {
  try {
    return parseManifest(manifest)
      .layers.filter(({ size }) => size >= LEAST_BYTES)
      .map(({ digest }) => digest);
  } catch (error) {
    if (!isToolError(error)) throw error;
    return []; // an index, or something that its reader refuses
  }
}

async function readPlaces(path: string | undefined): Promise<Places> {
  // A memory that is not there, or cannot be read, costs a guess.
  const text = path === undefined ? "" : await readFile(path, "utf8").catch(() => "");
  return text.length > MAX_FILE_BYTES ? new Map() : parsePlaces(text);
}

/** The file may have come to any harm; what is not right in it is passed over. */
function parsePlaces(text: string): Places {
  const places: Places = new Map();
  for (const [digest, repositories] of Object.entries(blobsOf(text))) {
    if (!isDigest(digest) || !Array.isArray(repositories)) continue;
    const names = repositories
      .filter((name): name is string => typeof name === "string" && isRepository(name))
      .slice(0, MAX_REPOSITORIES);
    if (names.length > 0) places.set(digest, names);
  }
  return places;
}

function blobsOf(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" &&
      value !== null &&
      "blobs" in value &&
      typeof value.blobs === "object" &&
      value.blobs !== null
      ? value.blobs
      : {};
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return {};
  }
}

function printPlaces(places: Places): string {
  return `${JSON.stringify({ version: 1, blobs: Object.fromEntries([...places].slice(-MAX_BLOBS)) })}\n`;
}
