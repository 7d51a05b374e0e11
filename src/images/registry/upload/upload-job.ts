import { RegistryError } from "../../../ground/errors/index.ts";
import type { CallOptions } from "../../../ground/bytes/index.ts";
import type { Digest } from "../../oci/index.ts";
import type { Claim } from "./saved-sessions.ts";
import {
  askSession,
  cancelSession,
  closeSession,
  hasBlob,
  openSession,
  sendPart,
  type Part,
  type Session,
} from "./session.ts";
import type { UploadContent } from "./upload-content.ts";
import { SMALL_BYTES, smallerChunk, type UploadContext } from "./upload-context.ts";
import { remedyFor, type Remedy } from "./remedy.ts";

export interface UploadJobOptions extends CallOptions {
  readonly content: UploadContent;
  readonly claim: Claim | undefined;
}

/** Failures in a row without one new byte at the registry before an upload is given up. */
const MAX_BARREN = 5;
/** Failures in all; a registry that loses its memory after every byte must not hold us for ever. */
const MAX_FAILURES = 500;
const PAUSE_MS = 200;
const PAUSE_CAP_MS = 60_000;

/** The life of one upload: a session, replaced when it is lost, and the count of what went out. Used once. */
export class UploadJob {
  readonly #context: UploadContext;
  readonly #options: UploadJobOptions;
  #session: Session | undefined;
  #hasAskedEarlier = false;
  /** Highest byte that was handed to the system. */
  #sentTo = 0;
  /** Most bytes that the registry has had at any time. */
  #best = 0;
  #barren = 0;
  #failures = 0;
  /** Refused tokens since the last progress. */
  #unauthorized = 0;
  /** Body of the last request, in bytes. */
  #lastBody = 0;
  /** True when the session's bytes did not all come in one go; a wrong digest may then be the seam's fault. */
  #isJoined = false;
  /** Set while the registry is asked to commit, when the answer may get lost. */
  #closing: Digest | undefined;

  constructor(context: UploadContext, options: UploadJobOptions) {
    this.#context = context;
    this.#options = options;
  }

  async run(): Promise<Digest> {
    for (;;) {
      try {
        this.#session ??= await this.#begin();
        return await this.#send(this.#session);
      } catch (error) {
        const done = await this.#recover(error);
        if (done !== undefined) return done;
      }
    }
  }

  /** Leaves the session for a later process where it is remembered, and cancels it where it is not. */
  async abandon(): Promise<void> {
    if (this.#session === undefined) return this.#options.claim?.forget();
    if (this.#options.claim !== undefined) return this.#options.claim.release();
    return cancelSession(this.#context, this.#session);
  }

  async #begin(): Promise<Session> {
    const { claim, content, signal } = this.#options;
    if (claim?.found !== undefined && !this.#hasAskedEarlier) {
      const earlier = await askSession(this.#context, claim.found, { signal });
      this.#hasAskedEarlier = true;
      if (earlier !== undefined && earlier.offset > 0 && earlier.offset <= content.size)
        return this.#takeUp(earlier);
    }
    const spare = content.known === undefined ? undefined : this.#context.spare.get(content.known);
    if (content.known !== undefined) this.#context.spare.delete(content.known);
    const session = spare ?? (await openSession(this.#context, { signal }));
    await claim?.remember(session);
    return session;
  }

  async #takeUp(earlier: Session): Promise<Session> {
    this.#context.counters.uploadsResumed += 1;
    this.#isJoined = true;
    this.#sentTo = earlier.offset;
    this.#best = earlier.offset;
    await this.#options.claim?.remember(earlier);
    return earlier;
  }

  async #send(from: Session): Promise<Digest> {
    const { content, signal } = this.#options;
    if (content.known !== undefined && this.#fitsOneRequest(from)) {
      this.#closing = content.known;
      await closeSession(this.#context, from, {
        digest: content.known,
        part: this.#part(from.offset, content.size, undefined),
        signal,
      });
      return content.known;
    }
    let session = from;
    while (session.offset < content.size) session = await this.#sendNext(session);
    const digest = await content.digest();
    this.#closing = digest;
    await closeSession(this.#context, session, { digest, signal });
    return digest;
  }

  #fitsOneRequest({ offset }: Session): boolean {
    const { quirks, chunkBytes } = this.#context.uploads;
    const { size } = this.#options.content;
    if (offset !== 0 || (chunkBytes !== undefined && size > chunkBytes)) return false;
    return size <= SMALL_BYTES || !quirks.hasPatch;
  }

  async #sendNext(session: Session): Promise<Session> {
    const { content, claim, signal } = this.#options;
    const { quirks, chunkBytes } = this.#context.uploads;
    const left = content.size - session.offset;
    const chunk = chunkBytes === undefined ? left : Math.max(chunkBytes, session.minChunk);
    const isLast = chunk >= left;
    // Where parts are not taken, one stream without a stated length or range still is: it is how docker pushes.
    const stated = quirks.hasPatch || chunkBytes !== undefined ? Math.min(chunk, left) : undefined;
    const next = await sendPart(this.#context, session, {
      ...this.#part(session.offset, stated, isLast ? undefined : chunk),
      signal,
    });
    if (next.offset <= session.offset && stated !== undefined) throw this.#lostBytes(next);
    this.#session = stated === undefined ? { ...next, offset: content.size } : next;
    this.#noteProgress(this.#session.offset);
    if (this.#session.offset < content.size) await claim?.remember(this.#session);
    return this.#session;
  }

  #part(offset: number, size: number | undefined, count: number | undefined): Part {
    const { counters, uploads } = this.#context;
    let position = offset;
    this.#lastBody = size ?? this.#options.content.size;
    return {
      content: this.#options.content.part(offset, count),
      size,
      onSent: (bytes) => {
        counters.bytesResent += Math.max(0, Math.min(position + bytes, this.#sentTo) - position);
        counters.bytesUploaded += bytes;
        position += bytes;
        this.#sentTo = Math.max(this.#sentTo, position);
        uploads.limit.sent(bytes);
      },
    };
  }

  /** Prepares another try, or throws the error. @returns the digest when the registry has committed after all. */
  async #recover(error: unknown): Promise<Digest | undefined> {
    const { signal, content } = this.#options;
    const closing = this.#closing;
    this.#closing = undefined;
    if (signal?.aborted === true || !(error instanceof RegistryError)) throw error;
    const remedy = this.#remedyFor(error);
    if (remedy === "none") throw error;
    if (
      closing !== undefined &&
      remedy === "resume" &&
      (await hasBlob(this.#context, closing, { signal })) !== undefined
    )
      return closing;
    if (!content.isReopenable) throw error;
    this.#context.counters.retries += 1;
    await this.#pauseAfter(error);
    await this.#renew(remedy === "resume", error);
    if (this.#barren >= MAX_BARREN || this.#failures > MAX_FAILURES) throw error;
    return undefined;
  }

  #remedyFor(error: RegistryError): Remedy {
    const { uploads } = this.#context;
    const remedy = remedyFor(error, {
      isJoined: this.#isJoined,
      isUnauthorizedAgain: this.#unauthorized > 0,
      hasPatch: uploads.quirks.hasPatch,
    });
    this.#failures += 1;
    if (error.code === "REGISTRY_UNAUTHORIZED") this.#unauthorized += 1;
    if (remedy === "without-patch") uploads.quirks = { ...uploads.quirks, hasPatch: false };
    if (remedy === "smaller" && smallerChunk(this.#context, this.#lastBody) === undefined)
      return "none";
    return remedy;
  }

  async #pauseAfter(error: RegistryError): Promise<void> {
    const { limit } = this.#context.uploads;
    if (error.code === "REGISTRY_THROTTLED" || error.code === "REGISTRY_UNAVAILABLE")
      limit.slowDown();
    const pauseMs =
      error.retryAfterMs ??
      (this.#barren === 0 ? 0 : PAUSE_MS * 2 ** this.#barren * (0.5 + Math.random() / 2));
    if (pauseMs > 0)
      await this.#context.sleep(Math.min(pauseMs, PAUSE_CAP_MS), this.#options.signal);
  }

  /** Finds out what the registry has, or lets the session go for a new one. */
  async #renew(mayResume: boolean, error: RegistryError): Promise<void> {
    const old = this.#session;
    this.#barren += 1;
    if (old === undefined) return;
    const found = mayResume ? await this.#ask(old, error) : undefined;
    if (found === undefined) await cancelSession(this.#context, old);
    else await this.#options.claim?.remember(found);
    this.#session = found;
    this.#isJoined = found !== undefined && found.offset > 0;
    this.#noteProgress(found?.offset ?? 0);
  }

  /**
   * The registry refused the session at the byte that it named itself. The session is broken: begin
   * again.
   */
  async #ask(old: Session, error: RegistryError): Promise<Session | undefined> {
    const { signal, content } = this.#options;
    if (!this.#context.uploads.quirks.canResume) return undefined;
    const found = await askSession(this.#context, old, { signal });
    const isStuck = found?.offset === old.offset && [400, 404, 416].includes(error.status ?? 0);
    return found === undefined || isStuck || found.offset > content.size ? undefined : found;
  }

  /** Only what the registry has never had before counts as progress. */
  #noteProgress(offset: number): void {
    if (offset <= this.#best) return;
    this.#best = offset;
    this.#barren = 0;
    this.#unauthorized = 0;
  }

  #lostBytes(next: Session): RegistryError {
    return new RegistryError(
      "REGISTRY_UNAVAILABLE",
      `push a blob: "${next.location.host}" took none of the bytes that it was sent`,
      { method: "PATCH", url: next.location.origin },
    );
  }
}
