import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isOwnerGone, ownerName, writeFileAtomic } from "../../../ground/process/index.ts";
import type { Session } from "./session.ts";

/** What an upload is remembered by: its digest, or a key where the digest is not known yet. */
export interface UploadIdentity {
  readonly registry: string;
  readonly repository: string;
  /** `sha256:…`, or `key:` and the content's key. */
  readonly content: string;
  /** Bytes. */
  readonly size: number;
}

/** The record of one upload, held by this process until it is let go or forgotten. */
export interface Claim {
  /** Where an earlier process stopped. */
  readonly found?: Pick<Session, "location" | "offset" | "minChunk">;
  /** Writes the session down. Best effort: an upload never fails because it cannot be remembered. */
  remember(session: Session): Promise<void>;
  /** Leaves the record for the next process. */
  release(): Promise<void>;
  /** The upload is over; so is the record. */
  forget(): Promise<void>;
}

const MAX_AGE_MS = 7 * 24 * 3600 * 1000;
const FREE = "free";

/**
 * Takes hold of the record of an upload: one that a dead process left, or a new one. A record belongs to one process at a
 * time; its file name says to which, and renaming it is the claim. Locations may hold secrets, so the files are the
 * user's alone (0600).
 */
export async function claimSession(stateDir: string, identity: UploadIdentity): Promise<Claim> {
  const folder = join(stateDir, "uploads");
  const key = createHash("sha256")
    .update(
      JSON.stringify([identity.registry, identity.repository, identity.content, identity.size]),
    )
    .digest("hex")
    .slice(0, 40);
  const path = join(folder, `${key}.${ownerName()}-${randomBytes(4).toString("hex")}.json`);
  const found = await takeOver(folder, { key, path, identity });
  return {
    ...(found === undefined ? {} : { found }),
    remember: (session) =>
      quietly(() =>
        write(folder, path, {
          ...identity,
          location: session.location.href,
          offset: session.offset,
          minChunk: session.minChunk,
          time: new Date().toISOString(),
        }),
      ),
    release: () =>
      quietly(() =>
        rename(path, join(folder, `${key}.${FREE}-${randomBytes(4).toString("hex")}.json`)),
      ),
    forget: () => quietly(() => rm(path, { force: true })),
  };
}

async function write(folder: string, path: string, record: object): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFileAtomic(path, `${JSON.stringify(record)}\n`, { mode: 0o600 });
}

async function takeOver(
  folder: string,
  want: { readonly key: string; readonly path: string; readonly identity: UploadIdentity },
): Promise<Claim["found"]> {
  for (const name of await abandonedIn(folder)) {
    if (!name.startsWith(`${want.key}.`)) continue;
    // Of several processes that want it, one gets it; the others find it gone.
    const isOurs = await rename(join(folder, name), want.path).then(
      () => true,
      () => false,
    );
    // A record that cannot be read is none: the upload starts anew.
    const found = isOurs
      ? parseRecord(await readFile(want.path, "utf8").catch(() => ""), want.identity)
      : undefined;
    if (found !== undefined) return found;
    if (isOurs) await quietly(() => rm(want.path, { force: true }));
  }
  return undefined;
}

/** Records that no living process holds. Those that are too old for any registry are removed. */
async function abandonedIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []); // no folder, no records
  const abandoned: string[] = [];
  for (const name of names) {
    const owner = /^[0-9a-f]{40}\.([^.]+)\.json$/.exec(name)?.[1];
    if (owner === undefined || !(owner.startsWith(`${FREE}-`) || isOwnerGone(owner))) continue;
    const age = await stat(join(folder, name)).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > MAX_AGE_MS) await quietly(() => rm(join(folder, name), { force: true }));
    else abandoned.push(name);
  }
  return abandoned;
}

/** A record is a file that anything may have happened to; one that is not right is no record. */
function parseRecord(text: string, identity: UploadIdentity): Claim["found"] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const record = value as Readonly<Record<string, unknown>>; // an object; every field is checked below
  const isSame = Object.entries(identity).every(([name, wanted]) => record[name] === wanted);
  const { location, offset, minChunk } = record;
  if (!isSame || typeof location !== "string" || !URL.canParse(location)) return undefined;
  const url = new URL(location);
  if (url.protocol !== "https:" && url.protocol !== "http:") return undefined;
  return { location: url, offset: countOf(offset), minChunk: countOf(minChunk) };
}

function countOf(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

/** The record is a help, not a need: without it the next process starts anew. */
async function quietly(action: () => Promise<unknown>): Promise<void> {
  await action().catch(() => undefined); // as said above
}
