import { ContentError } from "../../ground/errors/index.ts";
import type { Source } from "./contracts.ts";
import type { Descriptor } from "./descriptor.ts";
import { formatPlatform } from "./image-index.ts";
import { imageFrom, imagePlatform } from "./image.ts";
import { MAX_MANIFEST_BYTES, parseIndex } from "./manifest.ts";
import { isIndexType } from "./media-types.ts";
import { validateImage, type ValidateOptions, type Validation } from "./validate-image.ts";
import { readVerified } from "./verify-bytes.ts";

const MAX_DEPTH = 8;

/**
 * Validates what a descriptor points at: an image, or an index with every image it lists, whose platforms must be what the index
 * says. Attestations (for platform `unknown/unknown`) and other artifacts are verified as far as their manifest.
 * @returns one entry per image, in the index's order.
 * @throws as `validateImage`.
 */
export async function validateIndex(
  source: Source,
  target: Descriptor,
  options: ValidateOptions = {},
): Promise<readonly Validation[]> {
  return validateNode(source, { target, options, depth: 0 });
}

interface NodeRequest {
  readonly target: Descriptor;
  readonly options: ValidateOptions;
  readonly depth: number;
}

async function validateNode(
  source: Source,
  { target, options, depth }: NodeRequest,
): Promise<readonly Validation[]> {
  if (depth > MAX_DEPTH)
    throw new ContentError(
      "LIMIT_EXCEEDED",
      `verify "${target.digest}": indexes are nested more than ${MAX_DEPTH} deep`,
    );
  if (!isIndexType(target.mediaType)) return validateOne(source, target, options);
  const index = parseIndex(
    await readVerified(source.open(target, options), target, {
      signal: options.signal,
      maxBytes: MAX_MANIFEST_BYTES,
    }),
  );
  const found: Validation[] = [];
  for (const child of index.manifests)
    found.push(...(await validateNode(source, { target: child, options, depth: depth + 1 })));
  return found;
}

async function validateOne(
  source: Source,
  target: Descriptor,
  options: ValidateOptions,
): Promise<readonly Validation[]> {
  const image = imageFrom(source, target);
  const isArtifact = target.platform?.os === "unknown" || target.artifactType !== undefined;
  if (isArtifact) {
    await image.rawManifest(options);
    return [];
  }
  const validation = await validateImage(image, options);
  const { platform } = target;
  if (platform === undefined) return [validation];
  const is = await imagePlatform(image, options);
  if (is.os === platform.os && is.architecture === platform.architecture) return [validation];
  throw new ContentError(
    "MANIFEST_INVALID",
    `verify image: "${target.digest}" is listed for ${formatPlatform(platform)}, and its config says ${formatPlatform(is)}`,
  );
}
