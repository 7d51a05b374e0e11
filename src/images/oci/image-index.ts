import { ContentError } from "../../ground/errors/index.ts";
import type { Descriptor, Digest, Platform } from "./descriptor.ts";
import { digestOf } from "./digest.ts";
import type { ImageIndex } from "./manifest.ts";
import { MEDIA_TYPES } from "./media-types.ts";
import { printableDescriptor, printableMap } from "./print.ts";

/** Bytes that are an identity, and the descriptor that points at them. */
export interface Document {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** An index over images, in the order given. */
export function createIndex(
  entries: readonly { readonly descriptor: Descriptor; readonly platform?: Platform }[],
  annotations: Readonly<Record<string, string>> = {},
): Document {
  const manifests = entries.map(({ descriptor, platform }) =>
    printableDescriptor(platform === undefined ? descriptor : { ...descriptor, platform }),
  );
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.imageIndex,
      manifests,
      annotations: printableMap(annotations),
    }),
  );
  return {
    bytes,
    descriptor: {
      mediaType: MEDIA_TYPES.imageIndex,
      digest: digestOf(bytes),
      size: bytes.byteLength,
    },
  };
}

/**
 * The image of an index that runs on a platform: the first that says exactly that, else the first that fits. An entry's missing
 * variant fits any wanted one, and a wanted one that is missing fits any.
 * @throws ContentError `REFERENCE_NOT_FOUND` listing what there is. @see image-spec, image-index.md
 */
export function selectPlatform(index: ImageIndex, wanted: Platform): Descriptor {
  const found =
    index.manifests.find(({ platform }) => platform !== undefined && isSame(platform, wanted)) ??
    index.manifests.find(({ platform }) => platform !== undefined && fits(platform, wanted));
  if (found !== undefined) return found;
  const known = index.manifests.flatMap(({ platform }) =>
    platform === undefined || platform.os === "unknown" ? [] : [formatPlatform(platform)],
  );
  throw new ContentError(
    "REFERENCE_NOT_FOUND",
    `choose an image for "${formatPlatform(wanted)}": the index has ${known.length === 0 ? "no platforms" : known.join(", ")}`,
  );
}

/** `os/architecture[/variant]`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** Reads `os/architecture[/variant]`. @throws ContentError `REFERENCE_INVALID`. */
export function parsePlatform(text: string): Platform {
  const match = /^([a-z0-9]+)\/([a-z0-9]+)(?:\/([a-z0-9.]+))?$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new ContentError(
      "REFERENCE_INVALID",
      `parse platform "${text}": it is not os/architecture`,
      { hint: "write it as linux/amd64 or linux/arm64" },
    );
  }
  return {
    os: match[1],
    architecture: match[2],
    ...(match[3] === undefined ? {} : { variant: match[3] }),
  };
}

/**
 * The tag with the list of referrers of a manifest, for registries without a referrers API.
 * @see distribution-spec, spec.md#referrers-tag-schema
 */
export function referrersTag(subject: Digest): string {
  const [algorithm = "", hex = ""] = subject.split(":");
  return `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`;
}

function isSame(has: Platform, wanted: Platform): boolean {
  return (
    has.os === wanted.os &&
    has.architecture === wanted.architecture &&
    has.variant === wanted.variant
  );
}

function fits(has: Platform, wanted: Platform): boolean {
  if (has.os !== wanted.os || has.architecture !== wanted.architecture) return false;
  return (
    has.variant === undefined || wanted.variant === undefined || has.variant === wanted.variant
  );
}
