import { isToolError, ToolError, type ErrorCode } from "../../ground/errors/index.ts";
import { validateIndex, type Descriptor, type Digest } from "../../images/oci/index.ts";
import { formatBytes, shortDigest } from "../format.ts";
import { openForReading } from "../places/places.ts";
import type { Places } from "../session.ts";

/** What speaks of the content, not of the way to it. */
const DIFFERENCES: ReadonlySet<ErrorCode> = new Set([
  "DIGEST_MISMATCH",
  "SIZE_MISMATCH",
  "BLOB_NOT_FOUND",
  "FILE_CHANGED",
]);

/** What is derived again. */
export interface VerifyRequest {
  /** As every command takes it; a name without a host means the store's image first. */
  readonly name: string;
  /** Manifests and configs only: the layers stay unread. Default false. */
  readonly isShallow?: boolean | undefined;
}

/** An image whose digests are right. */
export interface VerifyResult {
  readonly digest: Digest;
  readonly images: Awaited<ReturnType<typeof validateIndex>>;
  readonly bytesRead: number;
  readonly layers: number;
  readonly tookMs: number;
}

/** Derives every digest of an image again. @throws ToolError `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `BLOB_NOT_FOUND` at the first difference. */
export async function verifyImage(
  { name, isShallow = false }: VerifyRequest,
  session: Places,
): Promise<VerifyResult> {
  const startedAt = performance.now();
  await using place = await openForReading(name, session, { isStoreFirst: true });
  const target = await place.source.resolve(place.reference, session);
  let reading: number | undefined;
  const onLayer = ({ digest, size }: Descriptor, index: number): void => {
    reading = index + 1;
    session.emit({
      kind: "step",
      text: `reading layer ${reading}: ${shortDigest(digest)}, ${formatBytes(size)}`,
    });
  };
  const images = await validateIndex(place.source, target, {
    signal: session.signal,
    depth: isShallow ? "documents" : "all",
    onLayer,
  }).catch((error: unknown) => {
    throw reading === undefined || !isToolError(error) || !DIFFERENCES.has(error.code)
      ? error
      : inLayer(name, reading, error);
  });
  return {
    digest: target.digest,
    images,
    bytesRead: images.reduce((sum, image) => sum + image.bytesRead, 0),
    layers: images.reduce((sum, image) => sum + image.layers, 0),
    tookMs: performance.now() - startedAt,
  };
}

/** The first difference, by the layer that it is in: digests alone say little to people. */
function inLayer(name: string, layer: number, error: ToolError): ToolError {
  const { code, message, hint } = error;
  return new ToolError(code, `verify "${name}": layer ${layer} differs: ${message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
