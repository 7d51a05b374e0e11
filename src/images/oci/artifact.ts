import type { Descriptor } from "./descriptor.ts";
import { digestOf } from "./digest.ts";
import type { Document } from "./image-index.ts";
import { MEDIA_TYPES } from "./media-types.ts";
import { printableDescriptor, printableMap } from "./print.ts";

export interface ArtifactParts {
  /** What it is, as a media type. */
  readonly artifactType: string;
  /** What it is attached to; found through the referrers of that manifest. */
  readonly subject?: Descriptor | undefined;
  /** Its content. Default: none, for which the spec has the empty descriptor stand. */
  readonly layers?: readonly Descriptor[] | undefined;
  /** Default: the empty descriptor. */
  readonly config?: Descriptor | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** The two bytes `{}`, which `EMPTY_DESCRIPTOR` points at; whoever puts an artifact that uses it puts them too. */
export const EMPTY_CONTENT = "{}";

/** The descriptor of the content `{}`. @see image-spec, manifest.md#guidance-for-an-empty-descriptor */
export const EMPTY_DESCRIPTOR: Descriptor = {
  mediaType: MEDIA_TYPES.empty,
  digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
  size: EMPTY_CONTENT.length,
};

/**
 * The manifest of something that is no image: a signature, a bill of materials, a model. The blobs it names are the caller's to put.
 * Its descriptor carries `artifactType`, as the list of referrers does.
 * @see image-spec, manifest.md#guidelines-for-artifact-usage
 */
export function createArtifact(parts: ArtifactParts): Document {
  const { artifactType, subject, layers = [], config = EMPTY_DESCRIPTOR, annotations = {} } = parts;
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.imageManifest,
      artifactType,
      config: printableDescriptor(config),
      layers: (layers.length === 0 ? [EMPTY_DESCRIPTOR] : layers).map(printableDescriptor),
      subject: subject === undefined ? undefined : bareDescriptor(subject),
      annotations: printableMap(annotations),
    }),
  );
  return {
    bytes,
    descriptor: {
      mediaType: MEDIA_TYPES.imageManifest,
      digest: digestOf(bytes),
      size: bytes.byteLength,
      artifactType,
    },
  };
}

/** What a descriptor says of the content, without what was said of it in some list. */
function bareDescriptor({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}
