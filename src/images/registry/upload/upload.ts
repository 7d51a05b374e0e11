import type { CallOptions } from "../../../ground/bytes/index.ts";
import type { Digest } from "../../oci/index.ts";
import { claimSession, type Claim } from "./saved-sessions.ts";
import type { UploadContent } from "./upload-content.ts";
import { UploadJob } from "./upload-job.ts";
import { SMALL_BYTES, type UploadContext } from "./upload-context.ts";

/**
 * Uploads one blob. A cut, an overload, a lost session or a token that ended is answered by asking the registry what it has
 * and going on from there; only what it does not have is sent again. Ends when the registry has committed the digest.
 * @returns the digest.
 * @throws RegistryError, also with code `DIGEST_MISMATCH` when the registry finds another digest; whatever the content throws.
 */
export async function uploadBlob(
  context: UploadContext,
  content: UploadContent,
  options: CallOptions,
): Promise<Digest> {
  options.signal?.throwIfAborted();
  return context.uploads.limit.run(async () => {
    options.signal?.throwIfAborted();
    const claim = await claimFor(context, content);
    const job = new UploadJob(context, { content, claim, signal: options.signal });
    try {
      const digest = await job.run();
      await claim?.forget();
      return digest;
    } catch (error) {
      await job.abandon();
      throw error;
    } finally {
      await content.close();
    }
  });
}

async function claimFor(
  context: UploadContext,
  content: UploadContent,
): Promise<Claim | undefined> {
  const { stateDir, quirks } = context.uploads;
  if (
    stateDir === undefined ||
    content.identity === undefined ||
    content.size <= SMALL_BYTES ||
    !quirks.canResume
  )
    return undefined;
  return claimSession(stateDir, {
    registry: context.registry,
    repository: context.name,
    content: content.identity,
    size: content.size,
  });
}
