import type { Digest } from "../../oci/index.ts";
import type { RepositoryContext } from "../content/repository-context.ts";
import type { AdaptiveLimit } from "./adaptive-limit.ts";
import type { KnownPlaces } from "./known-places.ts";
import type { Quirks } from "./quirks.ts";
import type { Session } from "./session.ts";

/** What uploads to one registry share, and learn from each other. */
export interface UploadSettings {
  /** From the table; PATCH is struck out when the registry turns out not to take it. */
  quirks: Quirks;
  readonly limit: AdaptiveLimit;
  readonly stateDir: string | undefined;
  /** Largest body of one request; lowered when the registry or a proxy refuses one as too large. */
  chunkBytes: number | undefined;
}

export interface UploadContext extends RepositoryContext {
  readonly uploads: UploadSettings;
  /** Sessions that a refused mount left behind, by digest. */
  readonly spare: Map<Digest, Session>;
  /** Shared by all repositories of the registry. */
  readonly places: KnownPlaces;
}

/** Content up to this length goes in one request and is not remembered: sending it again costs less than asking. */
export const SMALL_BYTES: number = 8 * 2 ** 20;

/** A proxy's limit on bodies is guessed at, at first just below the commonest one (100 MB), then by halves. */
export function smallerChunk(context: UploadContext, refused: number): number | undefined {
  const FIRST = 64 * 2 ** 20;
  const LEAST = 2 ** 20;
  const next = refused > FIRST ? FIRST : Math.floor(refused / 2);
  if (next < LEAST) return undefined;
  context.uploads.chunkBytes = Math.min(next, context.uploads.chunkBytes ?? next);
  return context.uploads.chunkBytes;
}
